/*
 * The scheduler's insides, for thread.c and sync.c alone. One lock, `sched`, guards every
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
    int priority;                  /* sched: its own, or a higher one lent by a waiter */
    int own_priority;              /* as it was created */
    struct queue_list mutexes;     /* sched: held by it; sync_mutex.held */
    struct sync_mutex *waits_for;  /* sched: NULL, or what it waits to take */
    struct thread *joins, *joiner; /* sched: whose end it waits for; who waits for its end */
    unsigned id, slice;            /* slice: ticks left */
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

uint64_t thread_sched_lock(void) __attribute__((warn_unused_result));
void thread_sched_unlock(uint64_t flags);

/* Both with the lock held. Waits on a list: returns when somebody has taken the thread off it and
 * made it ready. Only where cpu_may_sleep() but for this lock. */
void thread_wait_locked(struct queue_list *waiters);
/* Takes the first of the highest priority off a list and makes it ready; NULL if the list is empty.
 */
struct thread *thread_wake_locked(struct queue_list *waiters);

/* Changes what the scheduler goes by, wherever the thread stands; with the lock held. */
void thread_set_priority_locked(struct thread *thread, int priority);

#endif
