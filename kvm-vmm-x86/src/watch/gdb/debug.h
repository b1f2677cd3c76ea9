/*
 * A VM under a debugger: its vCPUs are stopped and resumed together.
 *
 * A stop pauses the VM (vm/pause.h). Once it is quiet, the last vCPU decides what comes next: the
 * debugger is told; or, if the stop was only needed to pass a breakpoint, one vCPU steps alone with
 * the original code, and then all continue with the breakpoints in place.
 *
 *     FREE        no debugger: vCPUs run
 *     RUNNING     under a debugger, with breakpoints in place
 *     STOPPING    asked to be quiet
 *     ALONE       one steps over the instruction it is at, the others are held
 *     STOPPED     quiet, the debugger knows
 *     TRAVEL      the same, and it is being taken back in time by another thread (watch/travel)
 *
 * step.c is the observer of the VM: what an exit means to a debugger.
 * Locks: debug.lock, then the gate's. Nothing is called with it held that waits for a vCPU.
 *
 *
 */
#ifndef GDB_DEBUG_H
#define GDB_DEBUG_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu/probe.h"
#include "host/threads.h"
#include "vm/observer.h"
#include "vm/pause.h"
#include "watch/gdb/handlers.h"
#include "watch/gdb/target.h"

/* A guest that is single-stepped is slow compared with its timer: it executes at least this many
 * instructions between two interrupts, as otherwise it would make no progress. */
enum { DEBUG_QUIET_STEPS = 200 };

enum debug_phase {
    DEBUG_FREE,
    DEBUG_RUNNING,
    DEBUG_STOPPING,
    DEBUG_ALONE,
    DEBUG_STOPPED,
    DEBUG_TRAVEL
};

/* What is kept of a vCPU. */
struct debug_cpu {
    struct debug *debug;
    struct vcpu *vcpu;
    /* Under debug.lock: */
    bool passed;    /* since the last stop it has stepped over the breakpoint it was at */
    bool has_event; /* it stopped for a reason that the debugger was not yet told */
    struct gdb_stop event;
    enum gdb_action action;
    /* For its thread; for others while the VM is quiet: */
    uint32_t control;      /* KVM_GUESTDBG_* in force; 0: none */
    bool reinject;         /* an int3 of the guest's own goes on to the guest */
    bool looked;           /* what follows is about the next instruction */
    bool pushes_flags;     /* it is a PUSHF */
    bool halts;            /* it is a HLT, which waits for an interrupt of the VMM's */
    bool interrupted;      /* the step begins with such an interrupt, */
    uint64_t sp;           /* at this stack pointer */
    bool sets_timer;       /* it sets the local APIC's deadline */
    unsigned touches;      /* it accesses what is watched: 1 + index in the table; 0: it does not */
    unsigned quiet_steps;  /* single steps to go before it is interrupted again */
    unsigned entries;      /* counts up to the next look whether a checkpoint is due */
    uint64_t steps, traps; /* exits for the debugger: for `monitor exits` */
    bool crash_told;       /* the debugger was told of the crash */
    struct kvm_dtable idt; /* that the handlers were taken from */
};

struct debug {
    struct vm *vm;
    struct probe_debug features;
    uint32_t step_flags;    /* what goes with a single step: KVM_GUESTDBG_BLOCKIRQ, if known */
    void (*notify)(void *); /* called when the phase is STOPPED: must not wait */
    void *notify_to;
    struct pause_holder holder;
    struct lock lock; /* protects what follows */
    enum debug_phase phase;
    bool wanted; /* the debugger asked for a stop */
    bool stale;  /* a vCPU has loaded another interrupt table */
    const struct vcpu *alone;
    struct gdb_stop stop;
    struct travel *travel; /* NULL: not yet, or never, */
    const char *no_travel; /* for this reason */
    /* Read by vCPU threads without the lock while they run: changed only when all are quiet. */
    struct gdb_breakpoints table;
    uint8_t watched[GDB_BREAKPOINTS_MAX][GDB_WATCH_LENGTH_MAX]; /* its bytes as they were */
    struct gdb_plan plan;
    struct traps traps;
    struct handlers handlers;
    struct debug_cpu cpus[GDB_CPUS_MAX];
};

/* `waits`: no vCPU runs before a debugger says so. Once the VM is created, before it starts;
 * `features`, `notify` and `notify_to` are set. */
void debug_init(struct debug *debug, struct vm *vm, bool waits);

/* For the debugger. */
void debug_stop(struct debug *debug);
enum debug_phase debug_phase_of(struct debug *debug);
void debug_resume(struct debug *debug, const enum gdb_action *actions);
/* Removes every breakpoint, and lets all run if told so. While all are stopped, or have been let go
 * already. */
void debug_release(struct debug *debug, bool run);
int debug_insert(struct debug *debug, const struct gdb_breakpoint *breakpoint);
void debug_remove(struct debug *debug, const struct gdb_breakpoint *breakpoint);

/* Starts to run the guest backwards. NULL, or why that is not possible. */
const char *debug_go_back(struct debug *debug, enum travel_kind kind,
                          const struct gdb_breakpoint *watched);
const char *debug_why_not_back(struct debug *debug);
/* For the main thread: the backward run has ended. */
void debug_back(struct debug *debug);
/* The debugger has changed the guest. */
void debug_edited(struct debug *debug);
/* The guest has ended: releases what the debugger holds of it. */
void debug_end(struct debug *debug);

/* For a vCPU's thread: a checkpoint is due. */
void debug_rest(struct debug_cpu *cpu);
/* For a vCPU's thread: it has met something that the debugger is to be told; something that it can
 * only get past alone (`stale`: its interrupt table is another). */
void debug_event(struct debug_cpu *cpu, const struct gdb_stop *stop);
void debug_pass(struct debug_cpu *cpu, bool stale);
/* It has made a step: whether it did so alone. Then the others may go on. */
bool debug_passed(struct debug_cpu *cpu);
/* The KVM_GUESTDBG_* that it is to enter the guest with; 0: none. */
uint32_t debug_control(struct debug_cpu *cpu);

int debug_snapshot(const struct vcpu *vcpu, struct snapshot *snapshot) MUST_CHECK;

/* step.c, and vm_target.c: what the stub asks of a machine, answered by a VM. The context of both
 * is a struct debug. */
extern const struct observer gdb_observer;
extern const struct gdb_ops debug_target_ops;

#endif
