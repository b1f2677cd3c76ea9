/* Saved RAM: files in layers, of which each later one has the pages that had changed. */
#ifndef HOST_RAM_SAVED_H
#define HOST_RAM_SAVED_H

#include "base/config.h"
#include "base/memory.h"

/* Backs memory that memory_init has laid out with the lowest layer: it is mapped where it is not
 * packed, and read when it is reached. `rom` bytes of read-only memory behind it in the layer are
 * added; they end at 4 GB, as firmware does. On failure nothing is mapped. */
int ram_map_saved(struct memory *memory, const struct saved_layer *lowest, uint64_t rom,
                  struct error *error) MUST_CHECK;
/* Reads the other layers, and the lowest one if it is packed. The memory must be guarded before
 * (guard.h), as the mapped file may be truncated. */
int ram_read_saved(const struct memory *memory, const struct saved_layer *layers, unsigned count,
                   struct error *error) MUST_CHECK;
/* How many of `pages` are in the layer with this map; NULL: all. */
uint64_t ram_saved_pages(const uint64_t *map, uint64_t pages);

#endif
