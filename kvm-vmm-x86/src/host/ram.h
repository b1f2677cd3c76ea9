/* Where guest RAM comes from: one anonymous mapping per guest, filled on demand, by large pages
 * where the host has them. */
#ifndef HOST_RAM_H
#define HOST_RAM_H

#include <stdint.h>

#include "base/error.h"

/* Maps `size` bytes of zeroes; NULL on failure. Free with ram_release. */
void *ram_allocate(uint64_t size, struct error *error);
void ram_release(void *ram, uint64_t size);

#endif
