/*
 * Work on a guest that has ended, on a thread of its own: it may enter the guest, and ends soon
 * when its time is up or the user wants to leave. The main thread runs its loop meanwhile.
 */
#ifndef TRAVEL_WORKER_H
#define TRAVEL_WORKER_H

#include "vm/vcpu.h"

struct worker {
    struct thread thread;
    void (*work)(struct worker *worker);
    void *context;
    struct vcpu *vcpu;   /* the last that was entered; the worker's thread only */
    uint64_t deadline;   /* events_now(), when work must stop; atomic */
    unsigned stop, done; /* atomic */
};

/* Calls `work` on its thread, and returns when it is over. Main thread only. */
void worker_run(struct worker *worker);

/* For `work`: gives what follows that much time, and says whether it is up. */
void worker_limit(struct worker *worker, unsigned limit_ms);
bool worker_must_stop(const struct worker *worker);

/* For `work`: enters the guest; false if it must stop, or KVM failed. The vCPU must stay until the
 * work is over. */
bool worker_enter(struct worker *worker, struct vcpu *vcpu) MUST_CHECK;

#endif
