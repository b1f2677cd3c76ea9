/*
 * The scheduler's insides, for thread.c, stack.c and sync.c alone. One lock, `sched`, guards every
 * run queue, every list of waiters and the state of every thread.
 */
#ifndef HLEOS_THREAD_SCHED_H
#define HLEOS_THREAD_SCHED_H

#include "lock.h"
#include "std/queue.h"
#include "thread.h"

enum thread_state { THREAD_READY, THREAD_RUNNING, THREAD_WAITING, THREAD_SLEEPING, THREAD_DEAD };

struct thread {
    uintptr_t saved_sp;     /* where thread_switch_stacks() left it */
    struct queue_link link; /* sched: in a run queue, a list of waiters or the sleepers */
    struct queue_link all;  /* sched: in the list of all threads */
    enum thread_state state;
    int priority;
    unsigned id, slice; /* slice: ticks left */
    unsigned mutexes;   /* held by it */
    bool detached;
    char name[THREAD_NAME_MAX];
    uintptr_t stack_low, stack_high;
    thread_entry *entry;
    void *argument;
    intptr_t result;
    uint64_t wake_at;          /* while sleeping */
    struct queue_list joiners; /* sched */
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

/* A stack with an unmapped page below it; false if memory is out. */
bool stack_allocate(uintptr_t *low, uintptr_t *high);
void stack_free(uintptr_t low, uintptr_t high);

#endif
