/* What a machine of the library consists of; for the files of this folder. */
#ifndef KVMVMM_MACHINE_H
#define KVMVMM_MACHINE_H

#include "cpu/probe.h"
#include "kvmvmm/kvmvmm.h"
#include "vm/vm.h"
#include "watch/explain/guest_image.h"
#include "watch/explain/snapshot.h"
#include "watch/gdb/handlers.h"
#include "watch/gdb/traps.h"

enum { KVMVMM_HARDWARE = 4 }; /* a processor's own breakpoints */

struct kvmvmm_breakpoint {
    uint64_t address; /* linear */
    unsigned length;  /* of the trap in memory: enum trap_kind; 0: none */
    gpa_t place;      /* where */
    uint8_t own[2];   /* the guest's bytes */
    bool narrow;      /* the trap is longer than the instruction and covers part of the next one */
};

struct kvmvmm_breakpoints {
    struct kvmvmm_breakpoint *list; /* by address */
    size_t count, room;
    unsigned hardware; /* how many of them are the processor's */
    unsigned narrow;   /* and how many are narrow */
    bool probed;
    struct probe_debug features; /* what KVM reports, once that was found out */
    uint32_t control;            /* KVM_GUESTDBG_* in force; 0: none */
    bool stands;   /* the guest is at a breakpoint, at `at`, and the caller was told */
    bool stepping; /* it single-steps the instruction there */
    uint64_t at, exits;
    /* Of that step: where it ends if it is a PUSHF, else 0; where else it may lead, and what stands
     * there meanwhile (handlers.h). */
    uint64_t pushed;
    struct handlers handlers;
    struct traps traps;
    uint32_t step_flags; /* what goes with a step: KVM_GUESTDBG_BLOCKIRQ, if known */
};

/* The snapshot for kvmvmm_reset. */
struct kvmvmm_saved {
    struct memory copy; /* the RAM as it was, without its pages of zeroes */
    uint8_t *state, *room;
    size_t state_size, room_size;
    uint64_t *log;      /* as long as that of the largest slot */
    bool taken, stands; /* the latter: before a breakpoint, at `at` */
    uint64_t at;
};

struct kvmvmm {
    struct vm vm; /* the first: a VM leads to its machine */
    struct guest_config config;
    struct observers observers;
    struct guest_image image;
    void (*output)(void *context, const void *bytes, size_t count);
    void *context;
    const uint8_t *input;
    size_t input_left;
    struct thread_ticks ticks;
    struct kvmvmm_event event;
    bool stopped; /* `event` tells why */
    struct kvmvmm_breakpoints breakpoints;
    struct kvmvmm_saved saved;
};

/* Copies `why` to the caller's error, and returns -1. */
int kvmvmm_fail(struct kvmvmm_error *error, const struct error *why);

/* The registers as plain data, with the memory that they see. */
int kvmvmm_look(const struct kvmvmm *machine, struct snapshot *snapshot, struct error *error);

/* breakpoint.c: before the guest is run; after each exit, and after the `last`; at KVM_EXIT_DEBUG;
 * when the machine goes. */
int kvmvmm_begin_step(struct kvmvmm *machine, struct error *error);
int kvmvmm_end_step(struct kvmvmm *machine, bool last, struct error *error);
void kvmvmm_met(struct kvmvmm *machine);
/* At a write to TRAPS_PORT. */
void kvmvmm_met_port(struct kvmvmm *machine);
void kvmvmm_forget_breakpoints(struct kvmvmm *machine);

/* rewind.c */
void kvmvmm_forget_snapshot(struct kvmvmm *machine);

#endif
