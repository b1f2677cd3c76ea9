/* The boot disk, by the BIOS. */
#ifndef BOOT_DISK_H
#define BOOT_DISK_H

#include <stdbool.h>
#include <stdint.h>

/* A disk that the BIOS reads for us: by EDD packets, or by geometry where that is missing. */
struct disk {
    uint8_t drive;
    bool edd;
    uint32_t heads, track; /* geometry: heads, sectors a track */
    uint8_t error;         /* the BIOS's status of the last read that failed */
};

/* Finds out how `drive` is read, or stops the machine. */
void disk_open(struct disk *disk, uint8_t drive);

/* Reads `count` sectors from `lba` to `to`, anywhere below 4 GB; each transfer is tried three
 * times. Returns how many came, from the first on; disk->error tells of the one that did not. */
uint32_t disk_read(struct disk *disk, uint32_t lba, uint32_t count, uint8_t *to);

#endif
