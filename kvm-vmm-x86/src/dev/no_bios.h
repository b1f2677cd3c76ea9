/*
 * Catches calls of a BIOS that does not exist. A 16-bit guest that calls the BIOS, or raises an
 * exception without a handler, would jump to whatever its vector contains; instead it ends with a
 * message that says where. The vectors below the image lead to a few instructions at the top of the
 * window, which write this port. A guest that sets all its vectors never gets there. See the Intel
 * SDM, volume 3, 21.1.
 */
#ifndef DEV_NO_BIOS_H
#define DEV_NO_BIOS_H

#include "dev/backend.h"
#include "dev/bus.h"

#define NO_BIOS_PORT 0xb8

struct no_bios {
    const struct backend *backend;
};

extern const struct bus_ops no_bios_ops;

void no_bios_init(struct no_bios *device, const struct backend *backend);

/* Fills the vectors below an image that stands at `image` to `end`, counted from the start of the
 * window: behind it may be variables that must be zero. Does nothing if the stack or the image uses
 * the top of the window. */
void no_bios_fill(const struct memory *memory, uint64_t image, uint64_t end);

#endif
