/*
 * The second run of a guest that shut down. On AMD, KVM resets a vCPU at a triple fault: what it
 * was doing is gone. But a guest that is given the same from outside does the same again. So its
 * double, made from the same image, plays the tape of the first up to the last exit before the end;
 * from there it goes on one instruction at a time, and the state before each is kept.
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
    int handling; /* `snapshot` stands where the handler of this vector begins; -1: it does not */
};

/* `made` is a VM made like `vm`, which has ended by a shutdown. */
void replay_run(struct worker *worker, const struct vm *vm, struct vm *made, struct replay *replay);

#endif
