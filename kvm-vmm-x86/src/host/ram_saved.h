/* RAM that was saved: layers of files, of which a later one has what had changed. */
#ifndef HOST_RAM_SAVED_H
#define HOST_RAM_SAVED_H

#include "base/config.h"
#include "base/memory.h"

/* Backs memory that memory_init has laid out with the lowest layer: it is mapped where it is not
 * packed, and read when it is reached. `rom` bytes of read-only memory behind it in the layer are
 * added; they end at 4 GB, as firmware does. On failure nothing is mapped. */
int ram_map_saved(struct memory *memory, const struct saved_layer *lowest, uint64_t rom,
                  struct error *error) MUST_CHECK;
/* Reads what the other layers have, and the lowest if it is packed. The memory is guarded by now
 * (guard.h): the file that is mapped may be cut short. */
int ram_read_saved(const struct memory *memory, const struct saved_layer *layers, unsigned count,
                   struct error *error) MUST_CHECK;
/* How many of `pages` a layer has whose map that is; NULL: all. */
uint64_t ram_saved_pages(const uint64_t *map, uint64_t pages);

#endif
