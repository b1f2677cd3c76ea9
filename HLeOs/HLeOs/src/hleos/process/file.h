/*
 * Open files, of whatever kind: a process has numbers for them, and forks and dup() share them.
 * What a file does is its operations'; they get kernel memory, never a program's, and may sleep.
 */
#ifndef HLEOS_PROCESS_FILE_H
#define HLEOS_PROCESS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/hleos.h"
#include "thread/sync.h"

enum { FILE_TABLE = 16 }; /* files that a process may have open */

struct file;

struct file_operations {
    /* How many bytes, 0 at the end, or -1. They are called only where the file was opened for it,
     * and with a size above 0. */
    int64_t (*read)(struct file *file, void *to, size_t size);
    int64_t (*write)(struct file *file, const void *from, size_t size);
    void (*stat)(struct file *file, struct hleos_stat *stat);
    /* 0 or -1; NULL where there is nothing to bring to a disk. */
    int (*sync)(struct file *file);
    /* With its last user; NULL if there is nothing to do. */
    void (*close)(struct file *file);
    /* Reading waits only until something is there, and gives that. */
    bool stream;
    bool seekable; /* `offset` is a place in it that may be set */
};

struct file {
    const struct file_operations *operations;
    bool readable, writable;
    void *object;            /* the operations' */
    struct sync_mutex mutex; /* for operations that use the offset */
    uint64_t offset;         /* mutex */
    unsigned references;     /* atomic */
};

/* A file with one user; NULL if memory is out. */
struct file *file_create(const struct file_operations *operations, void *object, bool readable,
                         bool writable) __attribute__((warn_unused_result));
/* One more user of it; the same file. */
struct file *file_share(struct file *file);
/* One user less; the last one's closes it. */
void file_close(struct file *file);

/* Tables of FILE_TABLE files, NULL where a number is free. */
void file_share_all(struct file **to, struct file *const *from);
void file_close_all(struct file **files);
/* Puts a file at the least number that is free; -1 if all are in use. */
int file_number(struct file **files, struct file *file) __attribute__((warn_unused_result));

#endif
