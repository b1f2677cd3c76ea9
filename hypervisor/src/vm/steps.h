/*
 * Work in steps that belongs to no VM, in a separate task: it waits for a device between two steps,
 * without occupying a hart.
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

/* Starts the task, which calls `step` with no lock held. The work must not be active, and its data
 * must be set up. Only one caller at a time, such as the monitor. */
void steps_begin(struct steps *steps, void (*step)(void));
bool steps_are_active(const struct steps *steps);
/* There may be input: ends a wait. From any hart. */
void steps_rouse(struct steps *steps);

/* By a step: the next one comes after 1/`per_second` of a second; 0: it waits for input. */
void steps_wait(struct steps *steps, unsigned per_second);
/* By a step: it was the last one, unless somebody begins again, which may be at once. */
void steps_end(struct steps *steps);

#endif
