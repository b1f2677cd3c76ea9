/* A disk (disk/disk.h) in memory: an image that is being made or checked. */
#ifndef MKIMAGE_RAM_H
#define MKIMAGE_RAM_H

#include <stddef.h>

#include "disk/disk.h"

struct ram {
    struct disk disk;
    unsigned char *bytes;
};

void ram_init(struct ram *ram, void *bytes, size_t size);

#endif
