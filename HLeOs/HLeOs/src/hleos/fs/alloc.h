/* Which blocks and inodes are free. */
#ifndef HLEOS_FS_ALLOC_H
#define HLEOS_FS_ALLOC_H

#include <stdint.h>

struct fs;

/* Counts the free blocks; a bitmap that calls the metadata free is FS_CORRUPT. */
int alloc_init(struct fs *fs);

/* Promises that many blocks to the caller: 0 or FS_NO_SPACE. What is not used is given back. */
int alloc_reserve(struct fs *fs, uint32_t count);
void alloc_unreserve(struct fs *fs, uint32_t count);
/* One of the promised blocks, zeroed. In a call of the log. */
int alloc_block(struct fs *fs, uint32_t *block);
int alloc_free(struct fs *fs, uint32_t block);

/* A free inode's number, which is the caller's when it has written the inode; with the names mutex.
 * 0 or FS_NO_INODES, FS_DISK. */
int alloc_inode(struct fs *fs, uint32_t *number);

#endif
