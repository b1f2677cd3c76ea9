/*
 * Open files, of whatever kind: a process has numbers for them, and forks and dup() share them. The
 * operations implement a kind of file; they get kernel memory, never a program's, and may sleep.
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
    /* Return how many bytes, 0 at the end, or -1. Called only if the file was opened for it, and
     * with a size above 0. */
    int64_t (*read)(struct file *file, void *to, size_t size);
    int64_t (*write)(struct file *file, const void *from, size_t size);
    void (*stat)(struct file *file, struct hleos_stat *stat);
    /* 0 or -1; NULL: nothing to write to a disk. */
    int (*sync)(struct file *file);
    /* Called when its last user closes it; may be NULL. */
    void (*close)(struct file *file);
    /* A read waits only for the first bytes, and returns those. */
    bool stream;
    bool seekable; /* lseek() may set `offset` */
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
/* Adds a user and returns the file. */
struct file *file_share(struct file *file);
/* Removes a user; the last one closes it. */
void file_close(struct file *file);

/* Tables of FILE_TABLE files, NULL where a number is free. */
void file_share_all(struct file **to, struct file *const *from);
void file_close_all(struct file **files);
/* Puts a file at the lowest free number and returns that; -1: all are in use. */
int file_number(struct file **files, struct file *file) __attribute__((warn_unused_result));

#endif
