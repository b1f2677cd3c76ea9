/* Memory for the loader: the A20 line, the BIOS's memory map, and room for the kernel. */
#ifndef BOOT_MEMORY_H
#define BOOT_MEMORY_H

#include "abi/boot_info.h"

/* Opens the A20 line, by whichever of three ways works, or stops the machine. */
void memory_open_a20(void);

/* Fills in info->memory by E820h, or by the older E801h and 88h where that is missing; in order, no
 * address twice (std/memory_map.h). */
void memory_read_map(struct boot_info *info);

/* The lowest 4 KB aligned address from 1 MB up and below 4 GB where `size` usable bytes begin that
 * do not touch [avoid, avoid + avoid_size); 0 if not found. */
uint32_t memory_find(const struct boot_info *info, uint32_t size, uint32_t avoid,
                     uint32_t avoid_size);

/* Usable KB from 1 MB to 4 GB. */
uint32_t memory_usable_kb(const struct boot_info *info);

#endif
