/*
 * A VM under a debugger: its vCPUs are stopped together and let go together.
 *
 * Who stops it asks each vCPU (VCPU_PAUSE); each then parks, in its own thread, at a moment when
 * its state is complete, and sleeps there. The last to park decides what comes next: the debugger
 * is told, or, where the stop was only needed to get past a breakpoint, the vCPUs go on, at first
 * one alone with the code as it is, then all with the breakpoints in place.
 *
 *     FREE        no debugger: vCPUs run
 *     RUNNING     under a debugger, with breakpoints in place
 *     STOPPING    asked to park; those of ALONE and STOPPED already have
 *     ALONE       one steps over the instruction it is at, the others wait
 *     STOPPED     all parked, the debugger knows
 *
 * Locks: debug.lock, then the VM's gate. Nothing is called with it held that waits for a vCPU.
 */
#ifndef DEBUG_DEBUG_H
#define DEBUG_DEBUG_H

#include <stdbool.h>
#include <stdint.h>

#include "host/threads.h"
#include "watch/gdb/cpu.h"
#include "watch/gdb/handlers.h"
#include "watch/gdb/target.h"
#include "watch/gdb/traps.h"

struct vcpu;
struct vm;

/* A guest that is stepped is slow beside its timer: between two interrupts it gets at least so many
 * instructions done, or it would get none. */
enum { DEBUG_CALM_STEPS = 200 };

/* A range watched by single steps: its bytes as they were. */
struct debug_watch {
    uint8_t bytes[GDB_WATCH_LENGTH_MAX];
};

enum debug_phase { DEBUG_FREE, DEBUG_RUNNING, DEBUG_STOPPING, DEBUG_ALONE, DEBUG_STOPPED };

struct debug {
    struct vm *vm;
    bool enabled; /* set before any thread starts */
    struct probe_debug features;
    uint32_t step_flags;    /* what goes with a single step: KVM_GUESTDBG_BLOCKIRQ, if known */
    void (*notify)(void *); /* called when the state is STOPPED: must not wait */
    void *notify_to;
    struct lock lock; /* protects everything below */
    struct condition changed;
    enum debug_phase phase;
    bool wanted; /* the debugger asked for a stop */
    bool stale;  /* a vCPU has loaded another interrupt table */
    unsigned ended;
    const struct vcpu *alone;
    struct gdb_stop stop;
    /* Read by vCPU threads without the lock while they run: changed only when all are parked. */
    struct gdb_breakpoints table;
    gpa_t places[GDB_BREAKPOINTS_MAX]; /* of table.list[i], as it was mapped when it was set */
    struct gdb_plan plan;
    struct debug_watch watches[GDB_BREAKPOINTS_MAX];
    struct traps traps;
    struct handlers handlers;
};

/* `waits`: no vCPU runs before a debugger says so. Before the first thread. */
void debug_init(struct debug *debug, struct vm *vm, bool waits, void (*notify)(void *),
                void *notify_to);

/* For the debugger's thread. */
void debug_stop(struct debug *debug);
/* If all are stopped, why. */
bool debug_is_stopped(struct debug *debug, struct gdb_stop *stop);
void debug_resume(struct debug *debug, const enum gdb_action *actions);
/* Removes every breakpoint, and lets all run if told so. While all are stopped, or have been let go
 * already. */
void debug_release(struct debug *debug, bool run);
int debug_insert(struct debug *debug, const struct gdb_breakpoint *breakpoint, gpa_t place);
void debug_remove(struct debug *debug, const struct gdb_breakpoint *breakpoint);

/* For vCPU threads. Answers VCPU_PAUSE: returns when the vCPU may go on, or is to stop for good. */
void debug_park(struct vcpu *vcpu);
/* The vCPU is about to enter the guest: single steps must be asked for each time. */
void debug_before_entry(struct vcpu *vcpu);
/* Whether the exit was the debugger's; it is dealt with then. */
bool debug_takes_exit(struct vcpu *vcpu);
/* Whether the exit is a crash that the debugger shall look at before the guest ends. */
bool debug_takes_crash(struct vcpu *vcpu);
/* The vCPU's thread is over. */
void debug_vcpu_ended(struct vcpu *vcpu);

/* All of them are. */
void debug_ended(struct debug *debug);

/* For anyone: whoever is parked looks again whether it is to stop for good. */
void debug_wake(struct debug *debug);
/* Whether a debugger is there; whether it holds the guest, so that its silence means nothing. */
bool debug_is_attached(struct debug *debug);
bool debug_holds(struct debug *debug);

/* plant.c: with everything parked. Puts in what the phase needs, but for what covers `but` (or
 * NULL). */
void debug_plant_locked(struct debug *debug, const gpa_t *but);
/* What stands in a vCPU's way: nothing; a trap that it would meet; one whose second byte covers the
 * instruction it is at. `place`: where in RAM it is. */
enum debug_way { DEBUG_WAY_FREE, DEBUG_WAY_MET, DEBUG_WAY_COVERED };
enum debug_way debug_way_locked(struct debug *debug, struct vcpu *vcpu, gpa_t *place);
/* What watchpoints by single steps compare with, and where handlers begin. */
void debug_note_watched_locked(struct debug *debug);
void debug_note_handlers_locked(struct debug *debug);

/* Between debug.c and exit.c. */
void debug_event(struct vcpu *vcpu, const struct gdb_stop *stop);
void debug_pass(struct vcpu *vcpu, bool stale);
bool debug_is_alone(struct vcpu *vcpu);
/* The KVM_GUESTDBG_* that the vCPU is to enter the guest with; 0: none. */
uint32_t debug_control(struct vcpu *vcpu);
int debug_snapshot(const struct vcpu *vcpu, struct snapshot *snapshot) MUST_CHECK;

#endif
