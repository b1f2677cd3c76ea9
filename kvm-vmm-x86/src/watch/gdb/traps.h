/*
 * Instructions that replace those of a guest while it is debugged: at breakpoints, and where
 * handlers begin (handlers.h). An int3, or where KVM does not report that, `out %al, $TRAPS_PORT`,
 * which every KVM reports as an exit. A stopped guest's memory is as the
 * guest knows it: they are put in before it is entered and cleared when it stops.
 *
 * They lie at guest-physical addresses: what matters is the code, by whatever address it is run.
 */
#ifndef GDB_TRAPS_H
#define GDB_TRAPS_H

#include <stdbool.h>

#include "base/memory.h"
#include "watch/explain/snapshot.h"

/* A port of the DMA controllers' range that no PC gives a meaning to. TRAPS_MAX: 64 breakpoints and
 * HANDLERS_MAX. */
enum { TRAPS_PORT = 0xbd, TRAPS_MAX = 384 };

enum trap_kind { TRAP_INT3 = 1, TRAP_PORT = 2 }; /* the value is the length in bytes */

struct trap {
    gpa_t at;
    enum trap_kind kind;
    uint8_t saved[2];
};

struct traps {
    struct trap list[TRAPS_MAX]; /* by ascending address; they do not overlap */
    unsigned count;
};

/* Puts one in. What overlaps another, crosses the end of a page, or is not RAM, is left out:
 * false. */
bool traps_put(struct traps *traps, const struct memory *memory, gpa_t at, enum trap_kind kind);

/* Whether one that begins at `from` covers the byte at `at`. */
bool traps_covers(enum trap_kind kind, gpa_t from, gpa_t at);

/* The one at linear address `at`, or NULL. `place`: where in RAM that is. */
const struct trap *traps_find(const struct traps *traps, const struct snapshot *s, gva_t at,
                              gpa_t *place);

/* Takes all out. Code that the guest has written over meanwhile stays the guest's. */
void traps_clear(struct traps *traps, const struct memory *memory);

/*
 * Whether a port write, two bytes long, may stand in for the instruction at linear address `at`,
 * which lies at `place`, where KVM does not report int3.
 *
 * It may where level 3 does not come by, which must not write to ports, and where nothing but the
 * instruction is covered, or a PUSH of one byte with the first byte of what follows it: that is how
 * functions begin. What follows must then be no target of a jump nearby. Memory that is still empty
 * is left to other means: a loader would write over the trap. One danger remains: a
 * thread of the guest that was interrupted just between the two, and goes on there.
 */
bool traps_port_fits(const struct snapshot *s, gva_t at, gpa_t place);

#endif
