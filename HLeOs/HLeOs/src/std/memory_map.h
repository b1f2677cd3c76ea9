/* Puts a BIOS's memory map in order: sorted, with no range twice. Loader and kernel share it. */
#ifndef STD_MEMORY_MAP_H
#define STD_MEMORY_MAP_H

#include <stdint.h>

#include "abi/boot_info.h"

/*
 * Sorts the map by address and cuts it into ranges that do not overlap; neighbours of one type
 * become one. Where entries overlap the larger type number holds, so that usable memory yields to
 * every other. Entries that ACPI says to ignore, or that are empty, go. Returns the new count, at
 * most BOOT_MEMORY_MAX: a map that needs more loses its highest ranges.
 */
uint32_t memory_map_normalise(struct boot_memory map[BOOT_MEMORY_MAX], uint32_t count);

#endif
