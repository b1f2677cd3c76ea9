/* How a driver's thread waits for its device's interrupt, with a time-out: a watching thread runs
 * now and then and wakes those whose time is over. */
#ifndef HLEOS_DISK_WAIT_H
#define HLEOS_DISK_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu/lock.h"
#include "thread/sync.h"

struct wait {
    struct lock lock;           /* taken in interrupts too */
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
/* Adds it to the watched ones, for good; false if there are too many. */
bool wait_add(struct wait *wait);

/* Starts the time-out; call it before the request is given to the device. */
void wait_arm(struct wait *wait, unsigned ms);
/* Ends the wait; called in the interrupt. Does nothing if no thread waits. */
void wait_finish(struct wait *wait);
/* The same if `answered(context)` is true, called with the lock held. So an interrupt that another
 * processor handles late cannot end a newer request. */
void wait_finish_if(struct wait *wait, bool (*answered)(const void *context), const void *context);
/* Sleeps until wait_finish(): 0; or until the time-out: DISK_TIMEOUT. */
int wait_sleep(struct wait *wait) __attribute__((warn_unused_result));

#endif
