/*
 * As much of a VGA's CRT controller (ports 0x3d4 and 0x3d5) as text needs: IBM VGA technical
 * reference, "CRT controller registers". The guest writes where the page begins and where the
 * cursor stands; a display looks.
 */
#ifndef DEV_CRTC_H
#define DEV_CRTC_H

#include "dev/bus.h"
#include "host/threads.h"

#define CRTC_PORT 0x3d4
enum { CRTC_PORTS = 2, CRTC_REGISTERS = 32 };

struct crtc_state {
    uint8_t index;
    uint8_t registers[CRTC_REGISTERS];
};

struct crtc {
    struct lock lock;
    struct crtc_state state; /* under the lock */
};

/* Positions count cells of text from the start of video memory. */
struct crtc_text {
    uint16_t start, cursor;
    bool cursor_shown;
};

extern const struct bus_ops crtc_ops;

void crtc_init(struct crtc *crtc);

/* Callable from any thread. */
struct crtc_text crtc_text(struct crtc *crtc);

#endif
