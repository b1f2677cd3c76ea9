/*
 * Work that takes one step after another by a task of its own while it is active, and is no VM's:
 * it waits for a device between two steps, and keeps no hart meanwhile.
 */
#ifndef VM_STEPS_H
#define VM_STEPS_H

#include "vm/sched.h"

/* Zero at first, but for `has_input`. */
struct steps {
    bool (*has_input)(void); /* ends a wait early; may be NULL. Under the scheduler's lock */
    void (*step)(void);
    struct task task;
    bool active;      /* an atomic */
    uint64_t look_at; /* host time of the next step */
};

/* From now on its task calls `step`, with no lock held. What that reads is there, and it is not
 * active; by one at a time, such as the monitor. */
void steps_begin(struct steps *steps, void (*step)(void));
bool steps_are_active(const struct steps *steps);
/* It has input, perhaps. From anywhere. */
void steps_rouse(struct steps *steps);

/* By a step: the next one comes after 1/`per_second` of a second; 0: it waits for input. */
void steps_wait(struct steps *steps, unsigned per_second);
/* By a step: it was the last one, unless somebody begins again, which may be at once. */
void steps_end(struct steps *steps);

#endif
