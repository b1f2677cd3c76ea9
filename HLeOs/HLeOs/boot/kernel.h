/* The kernel: from the disk into memory, checked. */
#ifndef BOOT_KERNEL_H
#define BOOT_KERNEL_H

#include "abi/boot_info.h"
#include "disk.h"
#include "layout.h"

/* Reads the kernel that `table` describes, checks it, and puts its segments into usable memory;
 * fills in info->kernel_base and info->kernel_size. Returns the address to enter it at. Stops the
 * machine on every failure. */
uint32_t kernel_load(struct disk *disk, const struct image_table *table, struct boot_info *info);

#endif
