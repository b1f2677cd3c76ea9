/*
 * The ports that reset a PC beside the keyboard controller's: 0xcf9, the reset control register of
 * Intel's chipsets (ICH datasheet, "RST_CNT"), and 0x92, system control port A (IBM PS/2 technical
 * reference). A20, which the second opens too, is always open.
 */
#ifndef DEV_RESET_H
#define DEV_RESET_H

#include "base/memory.h"
#include "dev/backend.h"
#include "dev/bus.h"
#include "host/threads.h"

#define RESET_CONTROL_PORT 0xcf9
#define RESET_SYSTEM_PORT  0x92

struct reset_state {
    uint8_t control; /* 0xcf9 */
    uint8_t system;  /* 0x92 */
};

struct reset {
    const struct backend *backend;
    struct lock lock;
    struct reset_state state; /* under the lock */
};

extern const struct bus_ops reset_control_ops, reset_system_ops;

void reset_init(struct reset *reset, const struct backend *backend);

/* What a guest finds at ffff:0 that jumps to its BIOS in real mode, as Linux with `reboot=b`: code
 * that writes to the first port. Without RAM there it does nothing. */
void reset_write_entry(const struct memory *memory);

#endif
