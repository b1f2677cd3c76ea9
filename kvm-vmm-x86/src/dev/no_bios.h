/*
 * What answers in the place of a BIOS. A 16-bit guest that calls one, or whose exception meets no
 * handler, would run into whatever its vector happens to be; instead it ends, and is told where.
 * The vectors below the image lead to a few instructions at the top of the window, which write this
 * port. A guest that installs vectors of its own never meets it. See the Intel SDM, volume 3, 21.1.
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
 * window: behind it may be variables that must be zero. Not where the top of the window is the
 * stack, or the image's. */
void no_bios_fill(const struct memory *memory, uint64_t image, uint64_t end);

#endif
