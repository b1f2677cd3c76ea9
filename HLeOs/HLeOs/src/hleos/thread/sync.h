/* Synchronisation of threads: mutexes, condition variables, semaphores. In an interrupt nothing may
 * wait, but a semaphore may be posted. Zeroed memory is a valid, unused object of each; all are
 * fair: first come, first served within a priority. */
#ifndef HLEOS_THREAD_SYNC_H
#define HLEOS_THREAD_SYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "std/queue.h"

struct thread;

struct sync_mutex {
    struct thread *owner;      /* sched lock */
    struct queue_list waiters; /* sched lock */
    struct queue_link held;    /* sched lock; in the owner's list */
};

/* Taking a mutex twice, or releasing one that another thread holds, is a panic. A released mutex
 * goes directly to the first waiter, so that a thread that releases it and takes it again cannot
 * overtake. While a thread of higher priority waits for it, the owner runs with that priority, and
 * so does the thread that the owner waits for. */
void sync_mutex_take(struct sync_mutex *mutex);
bool sync_mutex_try(struct sync_mutex *mutex) __attribute__((warn_unused_result));
void sync_mutex_give(struct sync_mutex *mutex);

struct sync_condition {
    struct queue_list waiters; /* sched lock */
};

/* Releases the mutex, waits for a signal, takes the mutex again. */
void sync_condition_wait(struct sync_condition *condition, struct sync_mutex *mutex);
/* The same; false if thread_interrupt() ended the wait. The mutex is taken again in either case. */
bool sync_condition_wait_interruptible(struct sync_condition *condition, struct sync_mutex *mutex)
    __attribute__((warn_unused_result));
/* The caller holds the mutex of the waiting threads. */
void sync_condition_signal(struct sync_condition *condition);
void sync_condition_broadcast(struct sync_condition *condition);

struct sync_semaphore {
    uint64_t count;            /* sched lock */
    struct queue_list waiters; /* sched lock */
};

void sync_semaphore_wait(struct sync_semaphore *semaphore);
/* False if thread_interrupt() ended the wait. */
bool sync_semaphore_wait_interruptible(struct sync_semaphore *semaphore)
    __attribute__((warn_unused_result));
bool sync_semaphore_try(struct sync_semaphore *semaphore) __attribute__((warn_unused_result));
void sync_semaphore_post(struct sync_semaphore *semaphore);

/* A queue of words (std/queue.h) between threads, which sleep while it is full or empty. */
struct sync_queue {
    struct queue queue; /* mutex */
    struct sync_mutex mutex;
    struct sync_condition not_empty, not_full;
};

void sync_queue_push(struct sync_queue *queue, uintptr_t word);
uintptr_t sync_queue_pop(struct sync_queue *queue);

#endif
