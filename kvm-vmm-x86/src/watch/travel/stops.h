/*
 * The breakpoints and watchpoints of a run that is repeated. They are in debug registers where KVM
 * has those for the host; else they are traps (watch/gdb/traps.h), in the guest's memory only while
 * the vCPU is in the guest; else they need single steps (plan.steps).
 */
#ifndef TRAVEL_STOPS_H
#define TRAVEL_STOPS_H

#include "cpu/probe.h"
#include "watch/gdb/breakpoints.h"
#include "watch/gdb/traps.h"
#include "watch/travel/stepper.h"

struct stops {
    struct gdb_breakpoints table;
    struct gdb_plan plan;
};

/* `table` is as the debugger has it. */
void stops_make(struct stops *stops, const struct gdb_breakpoints *table,
                const struct probe_debug *features);
/* The same, with one more at the table's end. False if that needs single steps, or if a trap cannot
 * mark the last one because its code is not in memory yet. */
bool stops_make_with(struct stops *stops, const struct gdb_breakpoints *table,
                     const struct gdb_breakpoint *last, const struct probe_debug *features,
                     const struct memory *memory);

/* Whether the vCPU is at the second byte of a trap, so that it must step before it runs. */
bool stops_cover(const struct stops *stops, const struct stepper *stepper);

/*
 * stepper_run, with the stops. STEPPER_DEBUG: the vCPU is at the instruction of `*hit`, or behind
 * the write that it watches; NULL: KVM reported no cause. STEPPER_MISSED: the guest has written to
 * the code of a trap, or that code is not in memory, so that only single steps are exact.
 */
enum stepper_result stops_run(struct stops *stops, struct stepper *stepper,
                              const struct gdb_breakpoint **hit) MUST_CHECK;

#endif
