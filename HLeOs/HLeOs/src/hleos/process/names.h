/*
 * Paths: finds their files, and makes and removes names. A path is looked up in the system's file
 * system, if there is one, and then among the kernel's built-in files: /bin with the programs, /dev
 * and /proc. `from` is the directory that a path begins in if it does not begin with a slash; NULL
 * is the root.
 */
#ifndef HLEOS_PROCESS_NAMES_H
#define HLEOS_PROCESS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "process/file.h"

struct inode;

/* NULL if there is no such file, it cannot be opened so, or memory is out. `how`: enum hleos_open.
 */
struct file *names_open(struct inode *from, const char *path, unsigned how)
    __attribute__((warn_unused_result));

/* 0 or -1. `device`: enum hleos_device. */
int names_make_device(struct inode *from, const char *path, uint64_t device);
int names_make_directory(struct inode *from, const char *path);
int names_link(struct inode *from, const char *old, const char *new);
int names_unlink(struct inode *from, const char *path);
/* The directory that a path leads to, held; false if not found. NULL is the root where there is
 * no file system. */
bool names_directory(struct inode *from, const char *path, struct inode **directory)
    __attribute__((warn_unused_result));

/* The whole of a file, for exec(): the kernel's image itself, or a copy. */
struct names_bytes {
    const void *at;
    size_t size;
    void *copy;
};

/* False if there is no such file, it is not a regular file, it is larger than `most`, or memory is
 * out. */
bool names_load(struct inode *from, const char *path, size_t most, struct names_bytes *bytes)
    __attribute__((warn_unused_result));
void names_unload(struct names_bytes *bytes);

#endif
