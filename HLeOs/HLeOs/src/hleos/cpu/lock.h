/*
 * Spinlocks: held for a few instructions, with interrupts off, by one processor. For longer waits
 * there are mutexes, on which a thread sleeps (thread/sync.h).
 *
 * Each lock has a rank, and a processor that holds some may only take one of a higher rank: so no
 * two processors can wait for each other. A wrong order is a panic that names both locks, even when
 * no deadlock would happen this time. docs/hleos/processors.md says what each protects.
 *
 *
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
    uint64_t takes, waits; /* guarded by the lock itself: how often it was taken, and how often that
                              had to wait */
    struct lock *outer;    /* guarded by the lock itself: the lock that its holder took before */
    struct lock *next;     /* list of the locks that were ever waited for: lock_contended() */
};

#define LOCK_INIT(text, order)                                                                     \
    {                                                                                              \
        .name = (text), .rank = (order)                                                            \
    }

/* Takes the lock and disables interrupts; returns the flags for lock_give(). Panics if this
 * processor holds the lock already, if the rank is wrong, or if the lock never becomes free. Locks
 * are released in reverse order. */
uint64_t lock_take(struct lock *lock) __attribute__((warn_unused_result));
void lock_give(struct lock *lock, uint64_t flags);

/* The same for the devices of the console: if console_is_urgent(), it waits only a short time and
 * then goes on without the lock. */
struct lock_hold {
    bool urgent, taken;
    uint64_t flags;
};

struct lock_hold lock_take_to_print(struct lock *lock) __attribute__((warn_unused_result));
void lock_give_printed(struct lock *lock, const struct lock_hold *hold);

bool lock_held(const struct lock *lock);

/* The next lock after `after` that a processor has ever waited for; NULL as argument: the first, as
 * result: the end. */
const struct lock *lock_contended(const struct lock *after);

#endif
