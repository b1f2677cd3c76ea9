/* How a driver's thread waits for its device's interrupt, and not for ever: a thread of low
 * frequency wakes those whose time is over. */
#ifndef HLEOS_DISK_WAIT_H
#define HLEOS_DISK_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu/lock.h"
#include "thread/sync.h"

struct wait {
    struct lock lock;           /* in interrupts too */
    bool armed;                 /* lock */
    bool timed_out;             /* lock */
    uint64_t deadline;          /* lock */
    struct sync_semaphore done; /* posted once for each time it was armed */
};

#define WAIT_INIT                                                                                  \
    {                                                                                              \
        .lock = LOCK_INIT("disk", LOCK_WAIT)                                                       \
    }

/* Starts the watching thread; -1 if there is no memory for it. */
int wait_init(void);
/* Has it watched from now on, for good; false if there are too many. */
bool wait_add(struct wait *wait);

/* Before the device is told to work. */
void wait_arm(struct wait *wait, unsigned ms);
/* From the interrupt. Without effect if no thread waits. */
void wait_finish(struct wait *wait);
/* The same, if `answered(context)` says so; it is asked with the lock held. An interrupt that
 * another processor handles late cannot end a request that was armed after it looked. */
void wait_finish_if(struct wait *wait, bool (*answered)(const void *context), const void *context);
/* Sleeps until that has come: 0, or DISK_TIMEOUT. */
int wait_sleep(struct wait *wait) __attribute__((warn_unused_result));

#endif
