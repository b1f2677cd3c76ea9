/*
 * What a debugger does with a paused VM: memory accesses through both stages, breakpoints, single
 * steps. Independent of the protocol; errors are negative errno values. The caller holds its own
 * lock, and none of the VM's.
 */
#ifndef MON_DEBUG_H
#define MON_DEBUG_H

#include "cpu/trigger.h"
#include "vm/vcpu.h"

enum { DEBUG_POINTS = 32 };
enum { DEBUG_REGISTERS = 33, DEBUG_PC = 32, DEBUG_XML = 3072 };
enum { DEBUG_PLACE = -14, DEBUG_ARGUMENT = -22, DEBUG_FULL = -28 }; /* EFAULT, EINVAL, ENOSPC */

/* An ebreak in the guest's memory, and what was there. */
struct debug_point {
    gva_t at;
    gpa_t gpa;
    bool used;
    bool step; /* ours, for one step */
    uint32_t saved;
    uint64_t boot; /* the boot it was set in: gone with that memory */
};

struct debug {
    struct vm *vm;
    unsigned thread; /* the vCPU whose tables and registers count */
    struct debug_point points[DEBUG_POINTS];
    struct trigger triggers[TRIGGERS_MAX]; /* of the harts */
};

/* Copies between `bytes` and the guest's memory as the current vCPU sees it. */
int debug_copy(struct debug *d, gva_t gva, void *bytes, uint64_t size, bool write) MUST_CHECK;

/* The breakpoint at an address, of the step or of the debugger; NULL: none. */
struct debug_point *debug_find_point(struct debug *d, gva_t at);
int debug_set_point(struct debug *d, gva_t at, bool step) MUST_CHECK;
void debug_clear_point(struct debug *d, struct debug_point *point);
/* Removes those of a step, or all. */
void debug_clear_points(struct debug *d, bool all);
/* Set and clear a breakpoint, by its kind in the protocol: 0 an ebreak, 1 to 4 a trigger of the
 * harts, if the firmware offers them. */
bool debug_has_kind(uint64_t kind);
int debug_set(struct debug *d, uint64_t kind, gva_t at, uint64_t length) MUST_CHECK;
int debug_clear(struct debug *d, uint64_t kind, gva_t at) MUST_CHECK;
/* The name of a watchpoint in the protocol; NULL: a breakpoint. */
const char *debug_watch_name(unsigned access);
void debug_clear_triggers(struct debug *d);
/* Is a breakpoint exception of this vCPU, which is loaded on this hart, the debugger's? `hit`
 * becomes the trigger that caused it, if that is known. */
bool debug_is_hit(struct debug *d, const struct vcpu *v, struct trigger *hit) MUST_CHECK;
/* Inserts the breakpoints that end the current vCPU's step. */
int debug_insert_steps(struct debug *d) MUST_CHECK;

/* A register of the current vCPU by its number in the description: x0 to x31, pc, then CSRs. NULL:
 * no such register. */
uint64_t *debug_register(struct debug *d, uint64_t number);
/* Writes the description of them (GDB manual, appendix G); its length. */
size_t debug_describe(char xml[DEBUG_XML]);

#endif
