/*
 * Spinlocks: held for a few instructions, with interrupts off, by one processor. What may take
 * longer sleeps on a mutex (thread/sync.h).
 *
 * Each lock has a rank, and a processor that holds some may only take one of a higher rank: so no
 * two can wait for each other. A wrong order is a panic that names both locks, at
 * once and not on the day when two processors meet. docs/hleos/processors.md says what each
 * protects.
 */
#ifndef HLEOS_LOCK_H
#define HLEOS_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/* From the outermost in. Locks of one rank are never held together. */
enum lock_rank {
    LOCK_WAIT = 1, /* disk/wait.c, one a device */
    LOCK_INPUT,    /* iostream.c */
    LOCK_SCHED,    /* thread/sched.c */
    LOCK_STACKS,   /* thread/stack.c */
    LOCK_HEAP,     /* kmalloc.c */
    LOCK_PAGING,   /* memory/paging.c */
    LOCK_PAGE,     /* memory/page.c: inside heap and paging, which need pages */
    LOCK_REGISTER, /* pairs of registers: interrupt/apic.c, timer/rtc.c, device/pci.c */
    LOCK_VGA,      /* vga.c */
    LOCK_SERIAL,   /* device/serial.c: last, so that anything may be printed anywhere */
};

struct lock {
    const char *name;
    enum lock_rank rank;
    struct cpu *holder;    /* NULL: free */
    uint64_t takes, waits; /* the lock itself; how often, and how often it was not free at once */
    struct lock *outer;    /* the lock itself; what its holder took before */
    struct lock *next;     /* those that were ever waited for: lock_contended() */
};

#define LOCK_INIT(text, order)                                                                     \
    {                                                                                              \
        .name = (text), .rank = (order)                                                            \
    }

/* Takes the lock, interrupts off; returns the flags to give back. A lock that is already held by
 * this processor, is out of order, or never comes free, is a panic. Locks are given back in the
 * reverse order. */
uint64_t lock_take(struct lock *lock) __attribute__((warn_unused_result));
void lock_give(struct lock *lock, uint64_t flags);

/* The same for the devices of the console: where console_is_urgent(), the lock is not waited for
 * long, and what must come out goes ahead without it. */
struct lock_hold {
    bool urgent, taken;
    uint64_t flags;
};

struct lock_hold lock_take_to_print(struct lock *lock) __attribute__((warn_unused_result));
void lock_give_printed(struct lock *lock, const struct lock_hold *hold);

bool lock_held(const struct lock *lock);

/* The locks that a processor has waited for, one after the other; NULL at the end, and for the
 * first. */
const struct lock *lock_contended(const struct lock *after);

#endif
