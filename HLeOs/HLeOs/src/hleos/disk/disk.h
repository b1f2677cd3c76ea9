/*
 * Disks: sectors of 512 bytes. Each driver fills in a struct disk. A request sleeps until it is
 * done, and ends in any case: a disk that does not answer in time is reset, and that is an error.
 */
#ifndef HLEOS_DISK_H
#define HLEOS_DISK_H

#include <stdint.h>

#define DISK_SECTOR 512

enum disk_error {
    DISK_FAILED = -1,  /* the disk reports an error */
    DISK_TIMEOUT = -2, /* it did not answer */
    DISK_RANGE = -3,   /* beyond its end */
};

struct disk;

/* All return 0 or a disk_error. At most DISK_TRANSFER_MAX sectors at a time, all within the disk.
 * Writes may reach the medium in any order; a flush returns when all earlier writes are on the
 * medium. */
enum { DISK_TRANSFER_MAX = 8 };
struct disk_ops {
    int (*read)(struct disk *disk, uint64_t sector, unsigned count, void *bytes);
    int (*write)(struct disk *disk, uint64_t sector, unsigned count, const void *bytes);
    int (*flush)(struct disk *disk);
};

struct disk {
    const struct disk_ops *ops;
    uint64_t sectors;
    char name[8];   /* "ata0" */
    char model[41]; /* what the disk calls itself */
};

/* Finds the disks and prints them. Must run in a thread. */
void disk_init(void);
/* The `index`th disk, NULL beyond the last. */
struct disk *disk_get(unsigned index);

static inline int disk_check(const struct disk *disk, uint64_t sector, unsigned count)
{
    return count > DISK_TRANSFER_MAX || sector > disk->sectors || count > disk->sectors - sector
               ? DISK_RANGE
               : 0;
}

static inline int disk_read(struct disk *disk, uint64_t sector, unsigned count, void *bytes)
{
    int error = disk_check(disk, sector, count);

    return error < 0 ? error : disk->ops->read(disk, sector, count, bytes);
}

static inline int disk_write(struct disk *disk, uint64_t sector, unsigned count, const void *bytes)
{
    int error = disk_check(disk, sector, count);

    return error < 0 ? error : disk->ops->write(disk, sector, count, bytes);
}

static inline int disk_flush(struct disk *disk)
{
    return disk->ops->flush(disk);
}

#endif
