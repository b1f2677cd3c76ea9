/* Makes a file system (abi/hleos_fs.h) in memory, and puts files into it. */
#ifndef MKIMAGE_MKFS_H
#define MKIMAGE_MKFS_H

#include <stddef.h>

/* Makes an empty file system that fills `bytes`, which are zeros. NULL, or why that is not
 * possible. */
const char *mkfs_format(unsigned char *bytes, size_t size);

struct mkfs_file {
    const char *path; /* in the file system; its directories are made */
    const void *bytes;
    size_t size;
};

/* Adds the files. 0; or an enum fs_error, and `*which` is the index of the file that failed. */
int mkfs_add(unsigned char *bytes, size_t size, const struct mkfs_file *files, size_t count,
             size_t *which);

#endif
