/*
 * Spinlocks: held for a few instructions, with interrupts off, by one processor. What may take
 * longer sleeps on a mutex (thread/sync.h).
 *
 * Order, outermost first; a lock may be taken while one to its left is held:
 *
 *   sched (thread.c)   heap (kmalloc.c)  ->  paging (paging.c)  ->  page (page.c)   vga   serial
 *   disk (disk/wait.c)
 */
#ifndef HLEOS_LOCK_H
#define HLEOS_LOCK_H

#include <stdbool.h>
#include <stdint.h>

struct lock {
    const char *name;
    struct cpu *holder; /* NULL: free */
};

#define LOCK_INIT(text)                                                                            \
    {                                                                                              \
        .name = (text)                                                                             \
    }

/* Takes the lock, interrupts off; returns the flags to give back. A lock that is already held by
 * this processor, or never comes free, is a panic. */
uint64_t lock_take(struct lock *lock) __attribute__((warn_unused_result));
void lock_give(struct lock *lock, uint64_t flags);

bool lock_held(const struct lock *lock);

/* Interrupts off, and back to what they were. */
uint64_t lock_interrupts_off(void) __attribute__((warn_unused_result));
void lock_interrupts_restore(uint64_t flags);

#endif
