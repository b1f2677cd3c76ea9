/* Waiting with a time limit; see wait.h. The interrupt or the watch that disarms the wait posts its
 * semaphore. */
#include "disk/wait.h"

#include <stddef.h>

#include "disk/disk.h"
#include "thread.h"
#include "timer.h"

enum { WAITS_MAX = 8, PERIOD_MS = 250 };

static struct wait *waits[WAITS_MAX];
static unsigned count; /* written before the wait is used; never decreases */

static void disarm(struct wait *wait, bool (*condition)(const void *context), const void *context,
                   bool timed_out)
{
    uint64_t flags = lock_take(&wait->lock);
    bool post = wait->armed && condition(context);

    if (post) {
        wait->armed = false;
        wait->timed_out = timed_out;
    }
    lock_give(&wait->lock, flags);
    if (post)
        sync_semaphore_post(&wait->done);
}

static bool is_late(const void *wait)
{
    return timer_now() >= ((const struct wait *)wait)->deadline;
}

static bool always(const void *context)
{
    (void)context;
    return true;
}

static intptr_t __attribute__((noreturn)) watch(void *argument)
{
    (void)argument;
    for (;;) {
        thread_sleep_ms(PERIOD_MS);
        for (unsigned i = 0; i < __atomic_load_n(&count, __ATOMIC_ACQUIRE); i++)
            disarm(waits[i], is_late, waits[i], true);
    }
}

int wait_init(void)
{
    struct thread *thread = thread_create("disk watch", THREAD_PRIORITY_HIGH, watch, NULL);

    if (thread == NULL)
        return -1;
    thread_detach(thread);
    return 0;
}

bool wait_add(struct wait *wait)
{
    if (count == WAITS_MAX)
        return false;
    waits[count] = wait;
    __atomic_store_n(&count, count + 1, __ATOMIC_RELEASE);
    return true;
}

void wait_arm(struct wait *wait, unsigned ms)
{
    uint64_t deadline = timer_now() + ms * (uint64_t)TIMER_NS_PER_MS;
    uint64_t flags = lock_take(&wait->lock);

    wait->armed = true;
    wait->timed_out = false;
    wait->deadline = deadline;
    lock_give(&wait->lock, flags);
}

void wait_finish(struct wait *wait)
{
    disarm(wait, always, NULL, false);
}

void wait_finish_if(struct wait *wait, bool (*answered)(const void *context), const void *context)
{
    disarm(wait, answered, context, false);
}

int wait_sleep(struct wait *wait)
{
    uint64_t flags;
    bool timed_out;

    sync_semaphore_wait(&wait->done);
    flags = lock_take(&wait->lock);
    timed_out = wait->timed_out;
    lock_give(&wait->lock, flags);
    return timed_out ? DISK_TIMEOUT : 0;
}
