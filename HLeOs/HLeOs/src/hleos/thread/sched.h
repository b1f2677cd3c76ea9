/*
 * The scheduler, for thread.c and sync.c alone. One lock, `sched`, guards every
 * run queue, every list of waiters and the state of every thread.
 */
#ifndef HLEOS_THREAD_SCHED_H
#define HLEOS_THREAD_SCHED_H

#include "cpu.h"
#include "cpu/lock.h"
#include "std/queue.h"
#include "thread.h"

enum thread_state { THREAD_READY, THREAD_RUNNING, THREAD_WAITING, THREAD_SLEEPING, THREAD_DEAD };

struct thread {
    uintptr_t saved_sp;     /* where thread_switch_stacks() left it */
    struct queue_link link; /* sched: in a run queue, a list of waiters or the sleepers */
    struct queue_link all;  /* sched: in the list of all threads */
    enum thread_state state;
    bool interruptible;           /* sched: it waits, and thread_interrupt() may wake it */
    bool interrupted;             /* sched: it has been asked to end; for good */
    int priority;                 /* sched: its own, or a higher one lent by a waiter */
    int own_priority;             /* as it was created */
    struct queue_list mutexes;    /* sched: held by it; sync_mutex.held */
    struct sync_mutex *waits_for; /* sched: NULL, or what it waits to take */
    struct thread *joins,
        *joiner; /* sched: the thread whose end it waits for; the thread that waits for its end */
    unsigned id, slice; /* slice: ticks left */
    unsigned cpu;       /* sched: the processor on which it runs, or ran last */
    bool detached;
    char name[THREAD_NAME_MAX];
    struct cpu_stack stack;
    const struct space *space; /* NULL: it runs no program, and any space will do */
    struct process *process;
    thread_entry *entry;
    void *argument;
    intptr_t result;
    uint64_t wake_at; /* while sleeping */
    uint64_t switches, ticks;
    uint8_t fpu[512] __attribute__((aligned(16)));
};

extern struct lock thread_lock; /* sched */

static inline uint64_t __attribute__((warn_unused_result)) thread_sched_lock(void)
{
    return lock_take(&thread_lock);
}

static inline void thread_sched_unlock(uint64_t flags)
{
    lock_give(&thread_lock, flags);
}

/* Releases the lock after a wake-up outside interrupts, and lets a better thread run at once. */
void thread_sched_unlock_and_yield(uint64_t flags);

/* Both with the lock held. The first makes a thread ready. The second gives the processor to the
 * best ready thread; the caller has put the current one where it belongs (a queue, or nowhere). It
 * returns when that thread runs again, with the lock held: the thread that switches to it holds the
 * lock. */
void thread_sched_enqueue_locked(struct thread *thread);
void thread_sched_switch_locked(void);

/* Attaches the scheduler to the tick and to the interrupts of other processors. */
void thread_sched_init(void);

/* Both with the lock held. Waits on a list: returns when somebody has taken the thread off it and
 * made it ready. Only where cpu_may_sleep() but for this lock. */
void thread_wait_locked(struct queue_list *waiters);
/* The same, but false if thread_interrupt() ends the wait, or has come before it. */
bool thread_wait_interruptible_locked(struct queue_list *waiters)
    __attribute__((warn_unused_result));
/* Takes the first of the highest priority off a list and makes it ready; NULL if the list is empty.
 */
struct thread *thread_wake_locked(struct queue_list *waiters);

/* Changes the current priority, in any state of the thread; with the lock held. */
void thread_set_priority_locked(struct thread *thread, int priority);

#endif
