/*
 * vCPUs that wait for a hart, first come first served: a list through their `next_ready`. The
 * scheduler's lock guards it.
 */
#ifndef VM_RUNQUEUE_H
#define VM_RUNQUEUE_H

#include "vm/vcpu.h"

struct runqueue {
    struct vcpu *head, *tail;
};

void runqueue_put(struct runqueue *queue, struct vcpu *v);
/* The first, or NULL. */
struct vcpu *runqueue_take(struct runqueue *queue);
/* Takes out all vCPUs of a VM. */
void runqueue_drop(struct runqueue *queue, const struct vm *vm);

#endif
