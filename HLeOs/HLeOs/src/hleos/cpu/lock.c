/* Spinlocks; see lock.h. */
#include "cpu/lock.h"

#include <stddef.h>

#include "common/x86.h"
#include "cpu.h"
#include "cpu/panic.h"

enum { PATIENCE = 100000000 }; /* looks; a lock is held for microseconds */

uint64_t lock_interrupts_off(void)
{
    uint64_t flags = x86_read_flags();

    x86_cli();
    return flags;
}

void lock_interrupts_restore(uint64_t flags)
{
    if (flags & X86_FLAGS_IF)
        x86_sti();
}

bool lock_held(const struct lock *lock)
{
    return __atomic_load_n(&lock->holder, __ATOMIC_RELAXED) == cpu_this();
}

uint64_t lock_take(struct lock *lock)
{
    uint64_t flags = lock_interrupts_off();
    struct cpu *cpu = cpu_this(), *holder = NULL;

    /* Acquire: pairs with the release in lock_give(). */
    for (long look = 0; !__atomic_compare_exchange_n(&lock->holder, &holder, cpu, false,
                                                     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
         look++) {
        if (holder == cpu)
            panic("lock %s is taken twice", lock->name);
        if (look == PATIENCE)
            panic("lock %s never comes free", lock->name);
        holder = NULL;
        x86_pause();
    }
    cpu->locks_held++;
    return flags;
}

void lock_give(struct lock *lock, uint64_t flags)
{
    if (!lock_held(lock))
        panic("lock %s is released but not held here", lock->name);
    cpu_this()->locks_held--;
    /* Release: pairs with the acquire in lock_take(). */
    __atomic_store_n(&lock->holder, NULL, __ATOMIC_RELEASE);
    lock_interrupts_restore(flags);
}
