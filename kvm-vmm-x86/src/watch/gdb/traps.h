/*
 * Instructions that replace those of a guest while it is debugged: at breakpoints, and where
 * handlers begin (handlers.h). An int3, or where KVM does not report that, `out %al, $TRAPS_PORT`,
 * which every KVM reports as an exit. A stopped guest's memory is as the guest knows it: they are
 * put in before it is entered and cleared when it stops.
 *
 * They are placed by guest-physical address, so that they work for every mapping of the code.
 */
#ifndef GDB_TRAPS_H
#define GDB_TRAPS_H

#include <stdbool.h>

#include "base/memory.h"
#include "watch/explain/snapshot.h"
#include "watch/gdb/breakpoints.h"

/* A port in the range of the DMA controllers that no PC uses. TRAPS_MAX: 64 breakpoints and
 * HANDLERS_MAX. */
enum { TRAPS_PORT = 0xbd, TRAPS_MAX = 384 };

enum trap_kind { TRAP_INT3 = 1, TRAP_PORT = 2 }; /* the value is the length in bytes */

struct trap {
    gpa_t at;
    enum trap_kind kind;
    uint8_t saved[GDB_CODE_LENGTH];
};

struct traps {
    struct trap list[TRAPS_MAX]; /* by ascending address; they do not overlap */
    unsigned count;
};

/* The kind of trap that such a breakpoint is; 0: it is not one. */
enum trap_kind traps_kind(enum gdb_means means);

/* Puts one in. What overlaps another, crosses the end of a page, or is not RAM, is left out:
 * false. */
bool traps_put(struct traps *traps, const struct memory *memory, gpa_t at, enum trap_kind kind);

/* Whether one that begins at `from` covers the byte at `at`. */
bool traps_covers(enum trap_kind kind, gpa_t from, gpa_t at);

/* The one at linear address `at`, or NULL. `place`: where in RAM that is. */
const struct trap *traps_find(const struct traps *traps, const struct snapshot *s, gva_t at,
                              gpa_t *place);

/* Takes all out. Code that the guest has written over meanwhile stays the guest's; then it returns
 * false. */
bool traps_clear(struct traps *traps, const struct memory *memory);

/*
 * Whether a port write, two bytes long, may stand in for the instruction at linear address `at`,
 * which lies at `place`, where KVM does not report int3.
 *
 * It may if level 3, which must not write to ports, does not execute the code, and if it covers
 * only the instruction, or a PUSH of one byte and the first byte of the next instruction, as at the
 * start of functions. No jump nearby may then lead to that next instruction. Memory that is still
 * empty is not used: a loader would overwrite the trap. One risk remains: a thread of the guest
 * that was interrupted between the two instructions continues there.
 */
bool traps_port_fits(const struct snapshot *s, gva_t at, gpa_t place);
/* Fills in `place`, `code` and `fits_port` of a breakpoint for execution. False: it is not mapped.
 */
bool traps_locate(const struct snapshot *s, struct gdb_breakpoint *breakpoint);

#endif
