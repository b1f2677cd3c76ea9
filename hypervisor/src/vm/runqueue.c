/* The run queue; see runqueue.h. */
#include "vm/runqueue.h"

#include <stddef.h>

void runqueue_put(struct runqueue *q, struct vcpu *v)
{
    v->next_ready = NULL;
    if (q->tail != NULL)
        q->tail->next_ready = v;
    else
        q->head = v;
    q->tail = v;
}

struct vcpu *runqueue_take(struct runqueue *q)
{
    struct vcpu *v = q->head;

    if (v != NULL)
        q->head = v->next_ready;
    if (q->head == NULL)
        q->tail = NULL;
    return v;
}

void runqueue_drop(struct runqueue *q, const struct vm *vm)
{
    struct runqueue kept = {NULL, NULL};
    struct vcpu *v;

    while ((v = runqueue_take(q)) != NULL)
        if (v->vm != vm)
            runqueue_put(&kept, v);
    *q = kept;
}
