/* RAM that was saved: layers of files, of which a later one has what had changed. */
#ifndef HOST_RAM_SAVED_H
#define HOST_RAM_SAVED_H

#include "base/config.h"
#include "base/memory.h"

/* Backs memory that memory_init has laid out with what was saved: the lowest layer is mapped where
 * it is not packed, and read when it is reached; what the others have is read here. `rom` bytes of
 * read-only memory behind it in the layers are added; they end at 4 GB, as firmware does. On
 * failure nothing is mapped. */
int ram_map_saved(struct memory *memory, const struct saved_layer *layers, unsigned count,
                  uint64_t rom, struct error *error) MUST_CHECK;

#endif
