/* Work on a guest that has ended: on a thread of its own as that of the vCPU, which can be
 * interrupted in KVM_RUN, for a limited time, and given up when the user wants to leave. */
#ifndef POSTMORTEM_WORKER_H
#define POSTMORTEM_WORKER_H

#include "vm/vcpu.h"

struct worker {
    struct vcpu *vcpu;
    void (*work)(struct worker *worker);
    void *context;
    unsigned done; /* atomic */
};

/* Calls `work` on its thread and returns when it is over; after `limit_ms` worker_must_stop. */
void worker_run(struct worker *worker, unsigned limit_ms);

/* For `work`, before each entry into the guest. */
bool worker_must_stop(const struct worker *worker);

/* For `work`: enters the guest; false if it must stop, or KVM failed. */
bool worker_enter(const struct worker *worker) MUST_CHECK;

#endif
