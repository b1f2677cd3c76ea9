/* Which blocks and inodes are free. */
#ifndef HLEOS_FS_ALLOC_H
#define HLEOS_FS_ALLOC_H

#include <stdint.h>

struct fs;

/* Counts the free blocks; FS_CORRUPT if the bitmap marks metadata as free. */
int alloc_init(struct fs *fs);

/* Reserves `count` blocks for the caller: 0 or FS_NO_SPACE. Return those that were not used by
 * alloc_unreserve(). */
int alloc_reserve(struct fs *fs, uint32_t count);
void alloc_unreserve(struct fs *fs, uint32_t count);
/* Takes one of the reserved blocks, zeroed. Between log_begin() and log_end(). */
int alloc_block(struct fs *fs, uint32_t *block);
int alloc_free(struct fs *fs, uint32_t block);

/* Finds the number of a free inode; it is in use once the caller has written the inode. The caller
 * holds the names mutex. 0 or FS_NO_INODES, FS_DISK. */
int alloc_inode(struct fs *fs, uint32_t *number);

#endif
