/*
 * The second run of a guest that shut down. On AMD, KVM resets a vCPU at a triple fault: what it
 * was doing is gone. But a guest that gets the same input does the same again. So a second VM, made
 * from the same image, plays the tape of the first up to the last exit before the end; from there
 * it is single-stepped, and the state before each instruction is kept.
 */
#ifndef POSTMORTEM_REPLAY_H
#define POSTMORTEM_REPLAY_H

#include "vm/vm.h"
#include "watch/explain/snapshot.h"
#include "watch/travel/worker.h"

enum replay_result {
    REPLAY_FOUND,     /* `snapshot` is the state before the instruction that ended it */
    REPLAY_DIVERGED,  /* the double did something else: interrupts, clocks, a changed file */
    REPLAY_TOO_LONG,  /* out of steps or time; `snapshot` is the state it was in */
    REPLAY_IMPOSSIBLE /* nothing was tried */
};

struct replay {
    enum replay_result result;
    struct snapshot snapshot;
    uint64_t exits, steps;
    unsigned handlers; /* how many exceptions were delivered on the way */
    int handling; /* `snapshot` is at the start of this vector's handler; -1: not at a handler */
};

/* `made` is a VM made like `vm`, which has ended by a shutdown. */
void replay_run(struct worker *worker, const struct vm *vm, struct vm *made, struct replay *replay);

#endif
