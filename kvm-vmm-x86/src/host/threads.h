/*
 * Locks, condition variables and threads of the host.
 *
 * A lock is a futex (futex(2)) and not a pthread_mutex_t: devices take one or two at each exit, and
 * where no thread waits for it, taking and releasing it costs some 40 instructions less. It does
 * not know its owner, and passes no priority on.
 */
#ifndef HOST_THREADS_H
#define HOST_THREADS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"

enum { LOCK_FREE, LOCK_TAKEN, LOCK_WAITED_FOR }; /* the last: a thread may sleep for it */
struct lock {
    unsigned state; /* atomic; all zeroes are a free lock */
};

struct condition {
    unsigned wakes;    /* how often it was woken; atomic */
    unsigned sleepers; /* protected by the lock that condition_wait is given */
};

struct thread {
    pthread_t id;
};

/* The slow paths of lock_take and lock_release, if another thread is involved. */
void lock_wait(struct lock *lock);
void lock_wake(struct lock *lock);

static inline void lock_init(struct lock *lock)
{
    lock->state = LOCK_FREE;
}

/* False: another thread has it. */
static inline bool lock_try(struct lock *lock)
{
    unsigned expected = LOCK_FREE;

    return __atomic_compare_exchange_n(&lock->state, &expected, LOCK_TAKEN, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static inline void lock_take(struct lock *lock)
{
    if (!lock_try(lock))
        lock_wait(lock);
}

static inline void lock_release(struct lock *lock)
{
    if (__atomic_exchange_n(&lock->state, LOCK_FREE, __ATOMIC_RELEASE) == LOCK_WAITED_FOR)
        lock_wake(lock);
}

/* Takes the lock `which` and releases it where the block ends, by whatever way it is left. */
#define LOCK_FOR_BLOCK(which)                                                                      \
    __attribute__((cleanup(lock_release_held), unused)) struct lock *const lock_held =             \
        lock_take_held(which)

static inline struct lock *lock_take_held(struct lock *lock)
{
    lock_take(lock);
    return lock;
}

static inline void lock_release_held(struct lock *const *held)
{
    lock_release(*held);
}

void condition_init(struct condition *condition);
/* Sleeps with `lock` released until woken; may wake for no reason, so callers look again. */
void condition_wait(struct condition *condition, struct lock *lock);
/* The same for so many nanoseconds at most. */
void condition_wait_for(struct condition *condition, struct lock *lock, uint64_t limit);
/* With the lock held that the sleepers were given. */
void condition_wake_all(struct condition *condition);

int thread_start(struct thread *thread, void *(*run)(void *), void *argument,
                 struct error *error) MUST_CHECK;
void thread_join(struct thread *thread);

/* What the calling thread is called in ps, top and a core dump: 15 characters. */
void thread_name(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Lowers the calling thread's priority, in favour of others if there are too few CPUs. */
void thread_step_back(void);

/* The calling thread sleeps for a millisecond. */
void thread_nap(void);

/*
 * Kicks: a signal that does nothing but interrupt the blocking call the thread is in. Before it
 * lands, `*flag` of the thread (as set by thread_kick_flag in that thread) becomes 1, so that a
 * call about to block does not.
 */
void thread_kicks_init(void);
/* `flag` may be NULL: then a kick sets no flag. */
void thread_kick_flag(volatile unsigned char *flag);
void thread_kick(const struct thread *thread);

/* Kicks the thread that began them again and again until they are stopped, first `first` and then
 * every `every` nanoseconds. All zeroes: never begun. */
struct thread_ticks {
    timer_t timer;
    uint64_t thread; /* the thread that it kicks, by a number that is not reused; 0: no timer */
};
int thread_ticks_begin(struct thread_ticks *ticks, uint64_t first, uint64_t every,
                       struct error *error) MUST_CHECK;
void thread_ticks_stop(struct thread_ticks *ticks);
void thread_ticks_close(struct thread_ticks *ticks);

/* How many CPUs of the host this process may run on. */
unsigned thread_cpus(void);

#endif
