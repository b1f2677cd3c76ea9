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

/* Finds out whether `drive` has EDD, else its geometry; stops the machine if it has neither. */
void disk_open(struct disk *disk, uint8_t drive);

/* Reads `count` sectors from `lba` to `to`, anywhere below 4 GB; each transfer is tried three
 * times. Returns how many sectors were read, from the first on; if fewer than `count`, disk->error
 * is the BIOS status of the failed one. */
uint32_t disk_read(struct disk *disk, uint32_t lba, uint32_t count, uint8_t *to);

#endif
