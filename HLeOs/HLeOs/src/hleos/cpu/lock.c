/* Spinlocks; see lock.h. */
#include "cpu/lock.h"

#include <stddef.h>

#include "asm.h"
#include "cpu.h"
#include "cpu/console.h"
#include "cpu/flush.h"
#include "cpu/panic.h"

/* Polls. A lock is held for microseconds, but a virtual machine's processor may be paused for long.
 * The second limit is for callers that then continue without the lock. */
enum { PATIENCE = 400000000, URGENT_PATIENCE = 2000000 };

static struct lock *contended;

bool lock_held(const struct lock *lock)
{
    return __atomic_load_n(&lock->holder, __ATOMIC_RELAXED) == cpu_this();
}

/* Acquire: pairs with the release in lock_give(). */
static bool try(struct lock *lock, struct cpu *cpu)
{
    struct cpu *holder = NULL;

    return __atomic_compare_exchange_n(&lock->holder, &holder, cpu, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static void check_order(const struct lock *lock, const struct cpu *cpu)
{
    const struct lock *last = cpu->lock;

    if (lock_held(lock))
        panic("lock %s is taken twice", lock->name);
    if (lock->rank <= last->rank)
        panic("lock %s (rank %u) is taken while lock %s (rank %u) is held", lock->name, lock->rank,
              last->name, last->rank);
}

/* Only reads until the lock is free, so that the cache line stays with the holder. */
static void wait_and_take(struct lock *lock, struct cpu *cpu)
{
    long look = 0;

    do {
        while (__atomic_load_n(&lock->holder, __ATOMIC_RELAXED) != NULL) {
            if (++look == PATIENCE)
                panic("lock %s is never released", lock->name);
            flush_serve(); /* the holder may wait for this flush */
            x86_pause();
        }
    } while (!try(lock, cpu));
    if (lock->waits++ == 0) {
        lock->next = __atomic_load_n(&contended, __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(&contended, &lock->next, lock, false, __ATOMIC_RELEASE,
                                            __ATOMIC_RELAXED))
            ;
    }
}

static inline uint64_t note(struct lock *lock, struct cpu *cpu, uint64_t flags)
{
    lock->outer = cpu->lock;
    lock->takes++;
    cpu->lock = lock;
    return flags;
}

/* A function of its own, so that the usual case needs no stack. */
static __attribute__((noinline)) uint64_t take_slowly(struct lock *lock, struct cpu *cpu,
                                                      uint64_t flags)
{
    if (cpu->lock != NULL)
        check_order(lock, cpu);
    if (!try(lock, cpu))
        wait_and_take(lock, cpu);
    return note(lock, cpu, flags);
}

uint64_t lock_take(struct lock *lock)
{
    uint64_t flags = asm_interrupts_off();
    struct cpu *cpu = cpu_this();

    if (cpu->lock != NULL || !try(lock, cpu))
        return take_slowly(lock, cpu, flags);
    return note(lock, cpu, flags);
}

void lock_give(struct lock *lock, uint64_t flags)
{
    struct cpu *cpu = cpu_this();

    if (cpu->lock != lock)
        panic("lock %s is released but is not the last one taken here", lock->name);
    cpu->lock = lock->outer;
    /* Release: pairs with the acquire in try(). */
    __atomic_store_n(&lock->holder, NULL, __ATOMIC_RELEASE);
    asm_interrupts_restore(flags);
}

/* For emergencies: the order of locks is not checked, and this processor may hold the lock
 * already. */
static bool take_soon(struct lock *lock)
{
    for (long look = 0; look < URGENT_PATIENCE && !lock_held(lock); look++) {
        if (try(lock, cpu_this()))
            return true;
        flush_serve();
        x86_pause();
    }
    return false;
}

struct lock_hold lock_take_to_print(struct lock *lock)
{
    if (console_is_urgent())
        return (struct lock_hold){.urgent = true, .taken = take_soon(lock)};
    return (struct lock_hold){.flags = lock_take(lock)};
}

void lock_give_printed(struct lock *lock, const struct lock_hold *hold)
{
    if (!hold->urgent)
        lock_give(lock, hold->flags);
    else if (hold->taken)
        __atomic_store_n(&lock->holder, NULL, __ATOMIC_RELEASE);
}

const struct lock *lock_contended(const struct lock *after)
{
    return after != NULL ? after->next : __atomic_load_n(&contended, __ATOMIC_ACQUIRE);
}
