/*
 * HLeOs's file system as it lies on a disk: what the kernel, mkimage and fsck agree on. All numbers
 * are little-endian; a block has 4,096 bytes and is named by its number within the file system.
 *
 *   0                superblock
 *   log_start        log area 0: a header and log_blocks - 1 blocks of data; then area 1, as large
 *   inode_start      inodes, 32 a block; number 0 is never used, number 1 is the root directory
 *   bitmap_start     one bit a block of the whole file system: 1 is used
 *   data_start       data, directories and blocks of pointers, up to `blocks`
 *
 * The file system is a partition of type HLEOS_FS_PARTITION, or fills the disk.
 *
 * Log: transaction number N is written to area N % 2: data, then a header that names their home
 * blocks, with a CRC-32 over header and data. The flush that makes transaction N durable also makes
 * the home blocks of N - 1 durable, so area (N + 1) % 2 may be written then. After a crash every
 * area whose CRC is right is copied home, the lower number first.
 */
#ifndef ABI_HLEOS_FS_H
#define ABI_HLEOS_FS_H

#include <stddef.h>
#include <stdint.h>

#define HLEOS_FS_MAGIC     UINT32_C(0x31534648) /* "HFS1" */
#define HLEOS_FS_LOG_MAGIC UINT32_C(0x4c534648) /* "HFSL" */

enum {
    HLEOS_FS_VERSION = 1,
    HLEOS_FS_BLOCK = 4096,
    HLEOS_FS_PARTITION = 0x7f, /* the type set aside for systems under study */
    HLEOS_FS_ROOT = 1,
    HLEOS_FS_BLOCKS_MIN = 64,
    HLEOS_FS_BITMAP_MAX = 16, /* blocks: so a file system has at most 2 GB */
    HLEOS_FS_LOG_MIN = 48,    /* blocks of one area, with its header */
    HLEOS_FS_LOG_MAX = 128,
    HLEOS_FS_NAME_MAX = 59,           /* bytes of a name */
    HLEOS_FS_DIRECTORY_MAX = 4 << 20, /* bytes of a directory: 65,536 entries */
};

struct hleos_fs_super {
    uint32_t magic, version;
    uint32_t blocks;
    uint32_t log_start, log_blocks; /* of each of the two areas */
    uint32_t inode_start, inode_blocks;
    uint32_t bitmap_start, bitmap_blocks;
    uint32_t data_start;
    uint32_t crc32; /* of the fields before it */
};

_Static_assert(sizeof(struct hleos_fs_super) == 44, "no padding");

enum hleos_fs_type {
    HLEOS_FS_FREE = 0,
    HLEOS_FS_FILE = 1,
    HLEOS_FS_DIRECTORY = 2,
    HLEOS_FS_DEVICE = 3, /* `device` says which; it has no data */
};

enum {
    HLEOS_FS_DIRECT = 22,
    HLEOS_FS_POINTERS = HLEOS_FS_BLOCK / 4, /* in a block of pointers */
};

/* A pointer of 0 is a hole: it reads as zeros. The indirect block has pointers to data, the double
 * indirect one to blocks of those. An inode without links that is not free was still open when the
 * machine stopped: mounting frees it. */
struct hleos_fs_inode {
    uint16_t type, links; /* how many directory entries name it */
    uint32_t device;
    uint64_t size;
    uint32_t reserved[4];
    uint32_t direct[HLEOS_FS_DIRECT];
    uint32_t indirect, double_indirect;
};

_Static_assert(sizeof(struct hleos_fs_inode) == 128, "32 fill a block");

enum { HLEOS_FS_INODES_PER_BLOCK = HLEOS_FS_BLOCK / sizeof(struct hleos_fs_inode) };

#define HLEOS_FS_FILE_BLOCKS                                                                       \
    (HLEOS_FS_DIRECT + UINT64_C(1) * HLEOS_FS_POINTERS +                                           \
     UINT64_C(1) * HLEOS_FS_POINTERS * HLEOS_FS_POINTERS)
#define HLEOS_FS_FILE_MAX (HLEOS_FS_FILE_BLOCKS * HLEOS_FS_BLOCK)

/* A directory is a file of these; an entry of inode 0 is free. The first two are "." and "..". */
struct hleos_fs_entry {
    uint32_t inode;
    char name[HLEOS_FS_NAME_MAX + 1]; /* ends with a zero byte */
};

_Static_assert(sizeof(struct hleos_fs_entry) == 64, "64 fill a block");

struct hleos_fs_log {
    uint32_t magic;
    uint32_t count;    /* blocks of data, which follow the header */
    uint64_t sequence; /* the transaction's number, from 1 */
    uint32_t crc32;    /* of the header to the last home, with 0 here, and of the data */
    uint32_t home[HLEOS_FS_LOG_MAX - 1];
};

_Static_assert(offsetof(struct hleos_fs_log, home) == 20, "no padding");

#endif
