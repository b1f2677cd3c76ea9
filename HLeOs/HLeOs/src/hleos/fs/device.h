/* Reads and writes blocks of a file system on its disk, without the cache. 0 or FS_DISK. */
#ifndef HLEOS_FS_DEVICE_H
#define HLEOS_FS_DEVICE_H

#include "abi/hleos_fs.h"
#include "disk/disk.h"
#include "fs/fs.h"

enum { DEVICE_SECTORS = HLEOS_FS_BLOCK / DISK_SECTOR };

/* `first`: the sector of block 0. */
static inline int device_read(struct disk *disk, uint64_t first, uint32_t block, void *bytes)
{
    uint64_t sector = first + (uint64_t)block * DEVICE_SECTORS;

    return disk_read(disk, sector, DEVICE_SECTORS, bytes) < 0 ? FS_DISK : 0;
}

static inline int device_write(struct disk *disk, uint64_t first, uint32_t block, const void *bytes)
{
    uint64_t sector = first + (uint64_t)block * DEVICE_SECTORS;

    return disk_write(disk, sector, DEVICE_SECTORS, bytes) < 0 ? FS_DISK : 0;
}

static inline int device_flush(struct disk *disk)
{
    return disk_flush(disk) < 0 ? FS_DISK : 0;
}

#endif
