/*
 * Runs a vCPU in a worker's thread (worker.h): exit by exit with the input of its tape, or
 * instruction by instruction. Its own thread has ended, or waits at the gate.
 *
 * A step over an instruction that faults, or before which an interrupt comes, enters the handler
 * and runs on at full speed, as the CPU clears the trap flag there. So each handler begins with a
 * trap during the step. The trap flag is removed from the flags saved on the guest's stack.
 */
#ifndef TRAVEL_STEPPER_H
#define TRAVEL_STEPPER_H

#include "vm/vm.h"
#include "watch/explain/snapshot.h"
#include "watch/gdb/handlers.h"
#include "watch/travel/worker.h"

enum { STEPPER_TABLE_MAX = 4096 };

/* The state with which the handlers were found. */
struct stepper_table {
    struct kvm_dtable idt;
    uint64_t cr0, cr3;
    uint8_t bytes[STEPPER_TABLE_MAX];
    size_t size;
};

struct stepper {
    struct worker *worker;
    struct vcpu *vcpu;
    struct snapshot before; /* the last step */
    uint64_t steps;
    unsigned handled; /* how many exceptions were delivered on the way */
    int handling;     /* it stands where the handler of this vector begins; -1: it does not */
    struct stepper_table table;
    struct handlers handlers;
    struct traps traps;
};

enum stepper_result {
    STEPPER_DONE,  /* one instruction; or one exit */
    STEPPER_EXIT,  /* of stepper_step: the guest has come back with an exit that is to be handled */
    STEPPER_DEBUG, /* at a breakpoint or watchpoint (stops.h) */
    STEPPER_MISSED, /* a breakpoint may have been passed (stops.h) */
    STEPPER_ENDED,  /* the guest has ended by this exit, or has left its tape */
    STEPPER_LOST,   /* the worker must stop, or KVM failed */
};

/* The vCPU must be out of the guest. (A struct stepper is too large for a small stack.) */
void stepper_init(struct stepper *stepper, struct worker *worker, struct vcpu *vcpu);

/* Lets KVM finish the last exit's instruction, and reads the state from which steps begin. */
enum stepper_result stepper_begin(struct stepper *stepper) MUST_CHECK;
/* One instruction. */
enum stepper_result stepper_step(struct stepper *stepper) MUST_CHECK;

/* Up to and with the next exit. */
enum stepper_result stepper_run(struct stepper *stepper) MUST_CHECK;
/* Deals with the exit that the vCPU has come back with. */
enum stepper_result stepper_handle(struct stepper *stepper) MUST_CHECK;

/* The vCPU's state; both parts come with each exit. */
struct snapshot stepper_state(const struct stepper *stepper);

#endif
