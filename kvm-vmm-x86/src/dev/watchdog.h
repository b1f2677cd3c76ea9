/*
 * A watchdog as ACPI's WDAT table describes one (Microsoft: Hardware Watchdog Timers Design
 * Specification; acpi/acpi.c writes the table): a guest starts it and has to feed it, or it
 * expires. Its registers are 32 bits wide. Linux has a driver for any that a WDAT describes
 * (wdat_wdt), Debian's cloud kernel too.
 *
 * It counts while the guest could run: not while the machine is paused.
 */
#ifndef DEV_WATCHDOG_H
#define DEV_WATCHDOG_H

#include "base/config.h"
#include "dev/backend.h"
#include "dev/bus.h"
#include "host/threads.h"

enum { WATCHDOG_PORT = 0x6a0, WATCHDOG_PORTS = 16 };

/* Registers; a tick is WATCHDOG_TICK_MS. */
enum {
    WATCHDOG_PERIOD = 0,  /* ticks from a feed to the end; writing feeds it */
    WATCHDOG_COUNT = 4,   /* ticks left; only read */
    WATCHDOG_FEED = 8,    /* any write */
    WATCHDOG_RUNNING = 12 /* 1 or 0 */
};
enum { WATCHDOG_TICK_MS = 100, WATCHDOG_TICKS_MIN = 5, WATCHDOG_TICKS_MAX = 36000 };

#define WATCHDOG_NEVER UINT64_MAX

struct watchdog_state {
    uint64_t left; /* nanoseconds, when it was saved */
    uint32_t period, running;
};

struct watchdog {
    const struct backend *backend; /* its now(): NULL: it never expires */
    enum watchdog_action action;
    struct lock lock; /* protects what follows */
    struct watchdog_state state;
    uint64_t end; /* by backend.now, while it is running */
    bool quiet;   /* paused: `left` counts */
};

extern const struct bus_ops watchdog_ops;

void watchdog_init(struct watchdog *watchdog, const struct backend *backend,
                   enum watchdog_action action);

/* How long until it expires, in nanoseconds, or WATCHDOG_NEVER. backend.alarm says that this has
 * changed. */
uint64_t watchdog_due(struct watchdog *watchdog);
/* Expires if it is time. */
void watchdog_look(struct watchdog *watchdog);

#endif
