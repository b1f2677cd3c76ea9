/* Where guest RAM comes from: mappings that are filled on demand, by large pages where the host has
 * them. */
#ifndef HOST_RAM_H
#define HOST_RAM_H

#include "base/error.h"
#include "base/memory.h"

/* Backs every slot of `memory`: with bytes of `path` for MEMORY_FILE, one slot behind the other
 * from its beginning, and with zeroes otherwise. On failure nothing is mapped. */
int ram_map(struct memory *memory, enum memory_backing backing, const char *path,
            struct error *error) MUST_CHECK;
/* Adds read-only memory with these bytes, a multiple of the page size, behind the last slot of
 * memory that is mapped. */
int ram_add_rom(struct memory *memory, gpa_t base, const uint8_t *bytes, uint64_t size,
                struct error *error) MUST_CHECK;

/* Unmaps all slots and empties the list. Later look-ups find no memory. */
void ram_unmap(struct memory *memory);

/* Makes KVM forget what it has mapped of these pages; it maps them again when the guest reaches
 * them. Threads that use them notice nothing. */
void ram_forget_mapped(void *page, uint64_t length);

/* Returns whole pages to the host; they then read as zeroes. False if they would not: nothing is
 * done. */
bool ram_release(void *pages, uint64_t length, enum memory_backing backing);

#endif
