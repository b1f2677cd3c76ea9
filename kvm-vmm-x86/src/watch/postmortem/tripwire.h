/*
 * Tripwires at the handlers of a guest that is stepped through. A step over an instruction that
 * faults goes into its handler and on at full speed, for the CPU clears the trap flag there. So for
 * the time of a step, the first bytes of each handler in the interrupt table are an OUT to a port
 * that nobody has: it comes back to us before anything is done.
 */
#ifndef POSTMORTEM_TRIPWIRE_H
#define POSTMORTEM_TRIPWIRE_H

#include "base/memory.h"
#include "watch/explain/snapshot.h"

enum { TRIPWIRES_MAX = 256, TRIPWIRE_BYTES = 2, TRIPWIRE_PORT = 0xf5, TRIPWIRE_TABLE = 4096 };

struct tripwire {
    unsigned vector;
    uint64_t offset; /* where the handler begins, in its code segment */
    gva_t linear;
    uint8_t *at; /* where that is in this process */
    bool laid;
    uint8_t was[TRIPWIRE_BYTES];
};

/* Zeroes to begin with. */
struct tripwires {
    struct tripwire wires[TRIPWIRES_MAX];
    unsigned count;
    /* What they were found with: looked for anew only when one of these has changed. */
    struct kvm_dtable idt;
    uint64_t cr0, cr3;
    uint8_t table[TRIPWIRE_TABLE];
    size_t table_size;
};

/*
 * Lays them at every gate that could be used, but not on the instruction at RIP. Real mode's table
 * is full of whatever is in memory there, so that only the vector which this instruction will raise
 * gets one.
 */
void tripwires_lay(struct tripwires *t, const struct snapshot *s, const struct memory *memory);

/* Puts everything back that was not written to meanwhile. */
void tripwires_lift(struct tripwires *t);

/* The one that was laid and came back with RIP at `rip`, at it or behind it; NULL: none. */
const struct tripwire *tripwires_find(const struct tripwires *t, uint64_t rip);

#endif
