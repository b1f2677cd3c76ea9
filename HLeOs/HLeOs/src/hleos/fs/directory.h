/* Entries of a directory; the caller holds the lock of its inode. Names are given with their
 * length. */
#ifndef HLEOS_FS_DIRECTORY_H
#define HLEOS_FS_DIRECTORY_H

#include <stddef.h>
#include <stdint.h>

struct inode;

/* Finds the inode of a name and the offset of its entry: 0, FS_NOT_FOUND, or another fs_error. */
int directory_find(struct inode *directory, const char *name, size_t length, uint32_t *inode,
                   uint64_t *offset);
/* Adds a name that is not there yet. FS_NO_SPACE and FS_TOO_LARGE change nothing. */
int directory_add(struct inode *directory, const char *name, size_t length, uint32_t inode);
int directory_remove(struct inode *directory, uint64_t offset);
/* 1 if it has nothing but "." and "..", else 0. */
int directory_is_empty(struct inode *directory);

#endif
