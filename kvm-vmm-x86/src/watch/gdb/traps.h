/*
 * Instructions that stand in a guest's code in place of its own, while it runs under a debugger:
 * int3, or where KVM does not report that, `out %al, $TRAPS_PORT`, which every KVM reports as an
 * exit. They are there only while vCPUs run; a stopped guest's memory is as the guest knows it.
 *
 * They lie at guest-physical addresses: what matters is the code, by whatever address it is run.
 */
#ifndef DEBUG_TRAPS_H
#define DEBUG_TRAPS_H

#include <stdbool.h>

#include "base/memory.h"
#include "watch/gdb/breakpoints.h"

/* A port of the DMA controllers' range that no PC gives a meaning to. */
enum { TRAPS_PORT = 0xbd, TRAPS_MAX = GDB_BREAKPOINTS_MAX + 320 };

enum trap_kind { TRAP_INT3 = 1, TRAP_PORT = 2 }; /* the value is the length in bytes */

struct trap {
    gpa_t at;
    enum trap_kind kind;
    uint8_t saved[2];
};

struct traps {
    struct trap list[TRAPS_MAX];
    unsigned count;
};

/* Whether one fits there: not across the end of a page. */
bool traps_fit(gpa_t at, enum trap_kind kind);

/* Puts one in. What overlaps another, or is not RAM, is left out: false. */
bool traps_put(struct traps *traps, const struct memory *memory, gpa_t at, enum trap_kind kind);

const struct trap *traps_at(const struct traps *traps, gpa_t at);

/* Takes all out, the last first. Code that the guest has written over meanwhile stays the guest's.
 */
void traps_clear(struct traps *traps, const struct memory *memory);

#endif
