/* The disk that files are kept on; there may be none. Memory for it is memory of the kernel's, in
 * one piece. */
#ifndef KERNEL_DEVICE_DISK_H
#define KERNEL_DEVICE_DISK_H

#include "kernel/kernel.h"

enum { DISK_SECTOR = 512, DISK_CANDIDATES = 8 };

/* Notes where the loader says that devices are. */
void disk_note(const char *command_line);

/* Finds the disk among them. */
void disk_init(void);

/* How large it is; 0: no disk. Whether it can be written to. */
uint32_t disk_sectors(void);
bool disk_can_write(void);

/* False: beyond its end, or the disk reports an error. After minutes without an answer the disk is
 * given up, and has no sectors. */
bool disk_read(uint32_t sector, void *to, uint32_t count) __attribute__((warn_unused_result));
bool disk_write(uint32_t sector, const void *from, uint32_t count)
    __attribute__((warn_unused_result));

/* Returns when what was written is on stable storage. */
bool disk_flush(void) __attribute__((warn_unused_result));

#endif
