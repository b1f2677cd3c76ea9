/* Tests of the scheduler. */
#include <stddef.h>
#include <stdint.h>

#include "kmalloc.h"
#include "memory/page.h"
#include "selftest/fpu.h"
#include "selftest/processors.h"
#include "selftest/selftest.h"
#include "thread.h"
#include "timer.h"

static intptr_t twice(void *argument)
{
    return 2 * (intptr_t)argument;
}

static intptr_t exits_early(void *argument)
{
    thread_exit((intptr_t)argument);
}

static struct thread *start(const char *name, int priority, thread_entry *entry, void *argument)
{
    struct thread *thread = thread_create(name, priority, entry, argument);

    expect(thread != NULL);
    return thread;
}

static void results_are_joined(void)
{
    size_t pages = selftest_pages_left(), bytes = kmalloc_stats().bytes_used;

    for (intptr_t i = 0; i < 50; i++) {
        expect_equal(thread_join(start("twice", THREAD_PRIORITY_NORMAL, twice, (void *)i)), 2 * i);
        expect_equal(thread_join(start("exits", THREAD_PRIORITY_NORMAL, exits_early, (void *)i)),
                     i);
    }
    expect_equal(selftest_pages_left(), pages);
    expect_equal(kmalloc_stats().bytes_used, bytes);
}

static volatile bool stop;

/* Never sleeps or yields: only the timer takes the processor from it. */
static intptr_t spin(void *counter)
{
    while (!stop)
        ++*(volatile uint64_t *)counter;
    return 0;
}

static void spinning_threads_share(void)
{
    volatile uint64_t counters[3] = {0};
    struct thread *threads[3];

    stop = false;
    for (int i = 0; i < 3; i++)
        threads[i] = start("spin", THREAD_PRIORITY_LOW, spin, (void *)&counters[i]);
    /* This thread sleeps, so that it runs again whatever the others do. */
    for (int i = 0; i < 6000 && !(counters[0] && counters[1] && counters[2]); i++)
        thread_sleep_ms(10);
    stop = true;
    for (int i = 0; i < 3; i++)
        thread_join(threads[i]);
    expect(counters[0] > 0 && counters[1] > 0 && counters[2] > 0);
}

static char order[16];
static unsigned order_length;

static intptr_t append(void *argument)
{
    order[order_length++] = (char)(intptr_t)argument;
    thread_yield();
    order[order_length++] = (char)(intptr_t)argument;
    return 0;
}

static void run_by_priority(void)
{
    struct thread *low, *high;

    order_length = 0;
    low = start("low", THREAD_PRIORITY_LOW, append, (void *)'l');
    high = start("high", THREAD_PRIORITY_HIGH, append, (void *)'h'); /* runs here and now */
    expect_equal(order_length, 2);
    thread_join(high);
    thread_join(low);
    expect_equal(order_length, 4);
    expect(order[0] == 'h' && order[1] == 'h' && order[2] == 'l' && order[3] == 'l');
}

static void higher_priority_runs_first(void)
{
    processors_leave_one(run_by_priority);
}

static uint64_t sleep_begin, sleep_unit;

static intptr_t sleep_and_append(void *argument)
{
    thread_sleep_until(sleep_begin + (uint64_t)argument * sleep_unit);
    order[order_length++] = (char)('0' + (intptr_t)argument);
    return 0;
}

/* Whether all four slept before the first was due. */
static bool sleep_at_once(void)
{
    static const intptr_t lengths[] = {3, 1, 4, 2};
    struct thread *threads[4];
    bool at_once;

    order_length = 0;
    sleep_begin = timer_now();
    for (int i = 0; i < 4; i++) /* each runs here and now, until it sleeps */
        threads[i] = start("sleeps", THREAD_PRIORITY_HIGH, sleep_and_append, (void *)lengths[i]);
    at_once = order_length == 0;
    for (int i = 0; i < 4; i++)
        thread_join(threads[i]);
    return at_once;
}

/* On a busy host longer times may be needed. */
static void sleep_together(void)
{
    sleep_unit = 20 * TIMER_NS_PER_MS;
    while (!sleep_at_once() && sleep_unit < 20000 * TIMER_NS_PER_MS)
        sleep_unit *= 10;
    expect(order[0] == '1' && order[1] == '2' && order[2] == '3' && order[3] == '4');
}

static void sleepers_wake_in_order(void)
{
    processors_leave_one(sleep_together); /* else two could run at the same time */
}

static intptr_t keep_fpu(void *seed)
{
    return fpu_keeps_values((int)(intptr_t)seed, 200, thread_yield);
}

static void fpu_state_is_each_threads_own(void)
{
    struct thread *threads[4];

    for (intptr_t i = 0; i < 4; i++)
        threads[i] = start("fpu", THREAD_PRIORITY_NORMAL, keep_fpu, (void *)(i + 1));
    for (int i = 0; i < 4; i++)
        expect_equal(thread_join(threads[i]), 0);
}

static intptr_t nothing(void *argument)
{
    return (intptr_t)argument;
}

static void detached_threads_leave_nothing(void)
{
    size_t bytes = kmalloc_stats().bytes_used;
    for (int i = 0; i < 50; i++) {
        struct thread *thread = start("detached", THREAD_PRIORITY_HIGH, nothing, NULL);

        thread_detach(thread);
    }
    /* Each thread that ends frees those that have ended before; on another processor this may take
     * a while. */
    for (int i = 0; i < 1000 && kmalloc_stats().bytes_used != bytes; i++)
        thread_join(start("last", THREAD_PRIORITY_NORMAL, nothing, NULL));
    expect_equal(kmalloc_stats().bytes_used, bytes);
}

static void bad_priorities_are_refused(void)
{
    static const int bad[] = {-1, 0, THREAD_PRIORITIES, THREAD_PRIORITIES + 1, 1 << 20};

    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect(thread_create("bad", bad[i], nothing, NULL) == NULL);
    expect_equal(thread_join(start("lowest", 1, nothing, (void *)5)), 5);
    expect_equal(thread_join(start("highest", THREAD_PRIORITIES - 1, nothing, (void *)6)), 6);
}

static intptr_t join_other(void *other)
{
    return thread_join(*(struct thread **)other);
}

/* Tests all cases in which thread_join() must return an error instead of waiting for ever. */
static void join_what_cannot_be(void)
{
    struct thread *self = thread_current(), *waiter, *thread;

    expect_equal(thread_join(self), THREAD_NOT_JOINED);
    expect_equal(thread_join(NULL), THREAD_NOT_JOINED);
    waiter = start("joins us", THREAD_PRIORITY_HIGH, join_other, &self); /* it waits already */
    expect_equal(thread_join(waiter), THREAD_NOT_JOINED);
    thread = start("joined", THREAD_PRIORITY_LOW, nothing, (void *)7);
    waiter = start("joins it", THREAD_PRIORITY_HIGH, join_other, &thread);
    expect_equal(thread_join(thread), THREAD_NOT_JOINED); /* another thread joins it */
    expect_equal(thread_join(waiter), 7);
    expect_equal(thread_join(thread), THREAD_NOT_JOINED); /* it does not exist any more */
    thread = start("detached", THREAD_PRIORITY_LOW, nothing, NULL);
    thread_detach(thread);
    expect_equal(thread_join(thread), THREAD_NOT_JOINED);
}

static void what_cannot_be_joined(void)
{
    processors_leave_one(join_what_cannot_be);
}

static void threads_run_out_cleanly(void)
{
    enum { MANY = 1100 };
    struct thread **threads = kmalloc(MANY * sizeof *threads);
    size_t pages, made = 0;

    if (!expect(threads != NULL))
        return;
    pages = selftest_pages_left();
    while (made < MANY) {
        struct thread *thread = thread_create("many", THREAD_PRIORITY_LOW, nothing, NULL);

        if (thread == NULL)
            break;
        threads[made++] = thread;
    }
    expect(made > 100 && made < MANY); /* stack slots or memory run out */
    while (made > 0)
        thread_join(threads[--made]);
    expect(selftest_pages_left() + 1024 >= pages); /* tables that grew stay */
    kfree(threads);
}

const struct selftest selftest_threads[] = {
    {"results_are_joined", results_are_joined},
    {"spinning_threads_share", spinning_threads_share},
    {"higher_priority_runs_first", higher_priority_runs_first},
    {"sleepers_wake_in_order", sleepers_wake_in_order},
    {"fpu_state_is_each_threads_own", fpu_state_is_each_threads_own},
    {"detached_threads_leave_nothing", detached_threads_leave_nothing},
    {"bad_priorities_are_refused", bad_priorities_are_refused},
    {"what_cannot_be_joined", what_cannot_be_joined},
    {"threads_run_out_cleanly", threads_run_out_cleanly},
    {0},
};
