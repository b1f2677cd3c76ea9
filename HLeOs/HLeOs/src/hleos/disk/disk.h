/*
 * Disks: sectors of 512 bytes, one request at a time. Each driver fills in a struct disk. A request
 * sleeps until it is done, and ends in any case: a disk that does not answer is an error.
 */
#ifndef HLEOS_DISK_H
#define HLEOS_DISK_H

#include <stdint.h>

#define DISK_SECTOR 512

enum disk_error {
    DISK_FAILED = -1,  /* the disk reports an error */
    DISK_TIMEOUT = -2, /* it did not answer; it was reset */
    DISK_RANGE = -3,   /* beyond its end */
};

struct disk;

/* All return 0 or a disk_error. What is written may reach the medium in any order until the next
 * flush, which returns when all of it is there. */
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

#endif
