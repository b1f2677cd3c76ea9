/* ATA disks on the two channels of a PC, by programmed I/O and interrupts. */
#ifndef HLEOS_DISK_ATA_H
#define HLEOS_DISK_ATA_H

struct disk;

/* Calls `add` for each disk found. Must run in a thread, after wait_init(). */
void ata_init(void (*add)(struct disk *disk));

#endif
