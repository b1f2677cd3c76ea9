/*
 * The scheduler's queues: the tasks that wait for each hart, their order, and which task a hart
 * runs next. All of it under the scheduler's lock; only sched.c includes it.
 */
#ifndef VM_QUEUE_H
#define VM_QUEUE_H

#include "vm/sched.h"

enum { QUEUE_MARGINS = 16 }; /* of a slice: an urgent task has the hart for one */

/* What the task on a hart does next; written by its own hart alone. */
enum intent { KEEP, YIELD, BLOCK, RETIRE };

struct hart {
    struct task *queue;    /* ready: urgent ones, then the others; the least charged first */
    struct task *sleepers; /* blocked, the first to wake first */
    struct task *current;
    struct task *favoured; /* runs next, regardless of its charge */
    uint64_t since;        /* current is charged up to then */
    uint64_t slice_end;    /* host time; ~0: it may run on */
    bool idle, give_way;   /* give_way: another task should get the hart */
    enum intent intent;
};

extern struct hart queue_harts[CPUS_MAX];
extern unsigned queue_waiting; /* tasks in the queues of all harts */

uint64_t queue_slice(void); /* host time */
/* How long a task may run while others wait. An urgent task is treated like the others after a
 * sixteenth of a slice. */
uint64_t queue_turn(const struct task *t);
/* What it is charged for `ticks`. */
uint64_t queue_by_weight(const struct task *t, uint64_t ticks);
bool queue_may_run_on(const struct task *t, unsigned hart);
/* Whether `t` runs before `other`: `other` was charged at least `lead` more. */
bool queue_runs_before(const struct task *t, const struct task *other, uint64_t lead);

/* Puts a task in its place in the queue, and removes it. */
void queue_put(struct hart *h, struct task *t);
void queue_leave(struct task *t);
/* Puts it among the sleepers, unless wake_at is ~0. */
void queue_put_to_sleep(struct hart *h, struct task *t);
/* Out of a queue or of a list of sleepers, if it is there. */
void queue_unlink(struct task **list, struct task *t);

/* The hart for it: the one it was on where that is idle, any idle one, the one whose task was
 * charged most. */
struct hart *queue_choose_hart(const struct task *t);
/* The task that runs next on this hart: the first in its queue, unless one elsewhere has fallen far
 * behind it (and behind `current`, if there is one). */
struct task *queue_best_for(const struct hart *h);
/* The task that `current` yields to: one of its group that waits, may run here and is not far
 * ahead; else what waits here. */
struct task *queue_find_favoured(const struct hart *h);

#endif
