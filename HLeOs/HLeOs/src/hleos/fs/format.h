/* Checks of the format on disk (abi/hleos_fs.h), for the kernel, mkimage and fsck. Pure. */
#ifndef HLEOS_FS_FORMAT_H
#define HLEOS_FS_FORMAT_H

#include <stdbool.h>

#include "abi/hleos_fs.h"

/* Lays out a file system of that many blocks; NULL, or why that is not possible. */
const char *format_plan(struct hleos_fs_super *super, uint64_t blocks);
/* NULL, or what is wrong with a superblock on a disk with room for that many blocks. */
const char *format_check(const struct hleos_fs_super *super, uint64_t blocks);

/* NULL, or what is wrong with a header of area `area`; its CRC is not checked. */
const char *format_check_log(const struct hleos_fs_super *super, unsigned area,
                             const struct hleos_fs_log *log);
/* The CRC of a header; that of the data goes on from it by crc32_update(). */
uint32_t format_log_crc(const struct hleos_fs_log *log);

/* NULL, or what is wrong with an inode that is in use; its pointers are not checked. */
const char *format_check_inode(const struct hleos_fs_inode *inode);

/* Whether a pointer to that block is allowed. */
static inline bool format_is_data(const struct hleos_fs_super *super, uint32_t block)
{
    return block >= super->data_start && block < super->blocks;
}

static inline uint32_t format_inodes(const struct hleos_fs_super *super)
{
    return super->inode_blocks * (uint32_t)HLEOS_FS_INODES_PER_BLOCK;
}

/* The position of file block `index`: the inode's pointer to start at, the number of pointer blocks
 * between, and the slot in each. */
struct format_position {
    uint32_t *pointer;
    unsigned depth;
    unsigned slots[2];
};

/* `index` is less than HLEOS_FS_FILE_BLOCKS. */
struct format_position format_position(struct hleos_fs_inode *inode, uint64_t index);

#endif
