/*
 * Decides which task runs on which hart. A task is a vCPU or a VM's worker; the scheduler does not
 * distinguish them.
 *
 * Each hart has a queue of tasks that want to run and a list of those that sleep until some time.
 * Tasks are charged for the time they take, divided by their weight; the task with the lowest
 * charge runs next. A task that slept gets an advantage of one slice and is urgent: it preempts a
 * task that is not, for a sixteenth of a slice, and then waits for its turn like the others. A task
 * that was charged a slice more than its share is not urgent, and neither is a new one. A hart
 * looks at the others' queues when its own is empty, or when one there has fallen two slices
 * behind, so that three equal tasks on two harts get two thirds of one each. One lock guards it
 * all: what is done under it is short.
 *
 *
 */
#ifndef VM_SCHED_H
#define VM_SCHED_H

#include "cpu/cpu.h"
#include "lib/types.h"

struct task;

enum task_state {
    TASK_STOPPED,
    TASK_READY,   /* wants a hart */
    TASK_RUNNING, /* has one */
    TASK_BLOCKED, /* until its `is_ready`, or its time */
};

struct task_ops {
    /* Runs it on this hart until sched_goes_on() says no. */
    void (*run)(struct task *task);
    /* Whether it has something to do. If not, *wake_at is the host time to ask again, or ~0. Called
     * under the scheduler's lock, and not while it runs. */
    bool (*is_ready)(struct task *task, uint64_t *wake_at);
    bool waits_in_guest; /* it may wait on its hart (WFI in the guest), unless harts are scarce */
};

/* Under the scheduler's lock but for `ops`, `group`, and `cpu`, which anyone may read. */
struct task {
    const struct task_ops *ops;
    const void *group; /* tasks of one group yield to each other */
    enum task_state state;
    bool held;            /* its VM does not run: it is in no queue or list */
    bool counted;         /* among those that want a hart */
    bool urgent;          /* woke up, and has not run for long since */
    uint32_t harts;       /* where it may run: a bit a hart */
    unsigned weight;      /* 100 is usual */
    uint64_t charged;     /* host time it was charged, by weight */
    struct task *payer;   /* is charged for its time too; may be NULL */
    uint64_t ready_since; /* host time */
    uint64_t waited;      /* for a hart, in all: time that was stolen from it */
    uint64_t wake_at;     /* of a blocked one; ~0: never */
    uint64_t deadline;    /* while it runs: its hart's timer comes then; ~0: need not */
    struct task *next;    /* in the queue or the list it is in */
    unsigned home;        /* index of the hart whose queue or list that is */
    struct cpu *cpu;      /* the hart on which it runs; NULL: none */
    struct cpu *last_cpu;
};

enum { TASK_WEIGHT = 100, TASK_WEIGHT_MAX = 10000 };

void sched_init_task(struct task *task, const struct task_ops *ops, const void *group,
                     unsigned weight, uint32_t harts);
/* From now on it runs on that hart alone. While it is held. */
void sched_bind(struct task *task, unsigned hart);

/* ---- A hart's own ---- */

/* The next task for this hart, or NULL: it may wait for an interrupt then. */
struct task *sched_take(void);
/* Its `run` has returned: puts it where it belongs. */
void sched_leave(struct task *task);
/* Whether the task on this hart may continue. Asked before each of its steps. */
bool sched_goes_on(const struct task *task);
/* The hart's timer interrupt; and what another hart's interrupt may mean. */
void sched_timer(void);

/* ---- By the task itself: what becomes of it at the end of this step ---- */

void sched_block(void);  /* until there is something to do */
void sched_yield(void);  /* others first; one of its own group before others */
void sched_retire(void); /* it is stopped */
/* Its timer must come at `when`, in host time. */
void sched_set_deadline(struct task *task, uint64_t when);

/* ---- From anywhere ---- */

/* Wakes a task, or makes its hart check it again, after an event. */
void sched_wake(struct task *task);
/* Makes a stopped task runnable. */
void sched_start(struct task *task);
/* Takes it off its hart, out of its queue or its list, until sched_release(); a running one leaves
 * its hart soon. */
void sched_hold(struct task *task);
void sched_release(struct task *task);
/* From now on `payer` is charged for what `task` takes, too; NULL: no one is. */
void sched_set_payer(struct task *task, struct task *payer);
/* Makes a task that is held and off its hart a stopped one. */
void sched_stop(struct task *task);
/* While it is held, and not TASK_RUNNING, its registers are still. */
enum task_state sched_state(const struct task *task);
/* Whether more tasks want a hart than there are harts. Then a guest must not wait on its hart. */
bool sched_is_crowded(void);

#endif
