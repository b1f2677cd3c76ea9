/*
 * A ticket spinlock. The hypervisor runs with interrupts off, so a holder is never interrupted on
 * its own hart; what is done under one is short. Order, outermost first: the debugger's, vm->lock,
 * vm->event_lock, the multiplexer's, the console's, the interrupt files' (vm/irq_file.c), the
 * scheduler's, vm->stage_lock, the page allocator's, the serial port's. No two VMs' locks are ever
 * held at once.
 */
#ifndef LIB_LOCK_H
#define LIB_LOCK_H

#include <stdint.h>

struct lock {
    uint32_t next, serving;
};

static inline void lock_take(struct lock *lock)
{
    uint32_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

    while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket) /* pairs with lock_drop */
        ;
}

static inline void lock_drop(struct lock *lock)
{
    __atomic_store_n(&lock->serving, lock->serving + 1, __ATOMIC_RELEASE); /* pairs with take */
}

static inline struct lock *lock_take_held(struct lock *lock)
{
    lock_take(lock);
    return lock;
}

static inline void lock_drop_held(struct lock *const *held)
{
    lock_drop(*held);
}

/* Takes the lock `which` and drops it where the block ends, by whatever way it is left. */
#define LOCK_FOR_BLOCK(which)                                                                      \
    __attribute__((cleanup(lock_drop_held), unused)) struct lock *const lock_held =                \
        lock_take_held(which)

#endif
