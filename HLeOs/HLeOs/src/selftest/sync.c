/* Tests of mutex, condition variable, semaphore and blocking queue. */
#include <stddef.h>
#include <stdint.h>

#include "common/x86.h"
#include "selftest/selftest.h"
#include "thread.h"
#include "thread/sync.h"
#include "timer.h"

enum { THREADS = 4, ROUNDS = 500, LIMIT_MS = 60000 };

static void run_together(thread_entry *entry, void *argument)
{
    struct thread *threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        threads[i] = thread_create("sync", THREAD_PRIORITY_NORMAL, entry, argument);
        expect(threads[i] != NULL);
    }
    for (int i = 0; i < THREADS; i++)
        thread_join(threads[i]);
}

static struct sync_mutex mutex;
static volatile unsigned counter;

static intptr_t count_slowly(void *argument)
{
    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        unsigned now;

        sync_mutex_take(&mutex);
        now = counter;
        thread_yield(); /* a broken mutex loses counts here */
        counter = now + 1;
        sync_mutex_give(&mutex);
    }
    return 0;
}

static void mutex_excludes(void)
{
    counter = 0;
    run_together(count_slowly, NULL);
    expect_equal(counter, THREADS * ROUNDS);
    expect(sync_mutex_try(&mutex));
    sync_mutex_give(&mutex);
}

static struct sync_condition turn_changed;
static unsigned turn;

/* Each thread waits for its own number, in a circle. */
static intptr_t take_turns(void *argument)
{
    unsigned me = __atomic_fetch_add((unsigned *)argument, 1, __ATOMIC_RELAXED);

    for (int i = 0; i < ROUNDS; i++) {
        sync_mutex_take(&mutex);
        while (turn % THREADS != me)
            sync_condition_wait(&turn_changed, &mutex);
        turn++;
        sync_condition_broadcast(&turn_changed);
        sync_mutex_give(&mutex);
    }
    return 0;
}

static void condition_passes_turns(void)
{
    unsigned next = 0;

    turn = 0;
    run_together(take_turns, &next);
    expect_equal(turn, THREADS * ROUNDS);
}

static struct sync_semaphore permits;
static int inside, most_inside;

static intptr_t enter_and_leave(void *argument)
{
    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        int now;

        sync_semaphore_wait(&permits);
        now = __atomic_add_fetch(&inside, 1, __ATOMIC_RELAXED);
        if (now > __atomic_load_n(&most_inside, __ATOMIC_RELAXED))
            __atomic_store_n(&most_inside, now, __ATOMIC_RELAXED);
        thread_yield();
        __atomic_sub_fetch(&inside, 1, __ATOMIC_RELAXED);
        sync_semaphore_post(&permits);
    }
    return 0;
}

static void semaphore_limits(void)
{
    permits = (struct sync_semaphore){.count = 2};
    inside = most_inside = 0;
    run_together(enter_and_leave, NULL);
    expect_equal(most_inside, 2);
    expect_equal(permits.count, 2);
    expect(sync_semaphore_try(&permits) && sync_semaphore_try(&permits));
    expect(!sync_semaphore_try(&permits));
}

static uintptr_t slots[8];
static struct sync_queue words = {.queue = QUEUE_INIT(slots)};

static intptr_t produce(void *argument)
{
    (void)argument;
    for (uintptr_t i = 1; i <= ROUNDS; i++)
        sync_queue_push(&words, i);
    return 0;
}

static void queue_hands_over_everything(void)
{
    struct thread *threads[THREADS];
    uintptr_t sum = 0;

    for (int i = 0; i < THREADS; i++) {
        threads[i] = thread_create("produce", THREAD_PRIORITY_NORMAL, produce, NULL);
        expect(threads[i] != NULL);
    }
    for (int i = 0; i < THREADS * ROUNDS; i++)
        sum += sync_queue_pop(&words);
    for (int i = 0; i < THREADS; i++)
        thread_join(threads[i]);
    expect_equal(sum, THREADS * (ROUNDS * (ROUNDS + 1) / 2));
    expect_equal(words.queue.count, 0);
}

/* Three priorities: the low thread owns the mutex that the high one needs, and the middle one only
 * computes. */
static struct sync_mutex first, second;
static volatile bool first_owned, second_owned, high_ran;

static intptr_t own_first(void *argument)
{
    uint64_t end = timer_now() + LIMIT_MS * TIMER_NS_PER_MS;

    (void)argument;
    sync_mutex_take(&first);
    first_owned = true;
    while (thread_priority(thread_current()) != THREAD_PRIORITY_HIGH && timer_now() < end)
        x86_pause(); /* until the high thread waits */
    sync_mutex_give(&first);
    return thread_priority(thread_current());
}

/* Owns the second mutex, and waits for the first. */
static intptr_t own_second(void *argument)
{
    (void)argument;
    sync_mutex_take(&second);
    second_owned = true;
    sync_mutex_take(&first);
    sync_mutex_give(&first);
    sync_mutex_give(&second);
    return thread_priority(thread_current());
}

static intptr_t compute_until_done(void *argument)
{
    uint64_t end = timer_now() + LIMIT_MS * TIMER_NS_PER_MS;

    (void)argument;
    while (!high_ran && timer_now() < end)
        x86_pause();
    return high_ran;
}

static intptr_t want_second(void *argument)
{
    (void)argument;
    sync_mutex_take(&second);
    high_ran = true;
    sync_mutex_give(&second);
    return 0;
}

static void a_waiter_lends_its_priority(void)
{
    struct thread *low, *between, *middle, *high;

    first_owned = second_owned = high_ran = false;
    low = thread_create("low", THREAD_PRIORITY_LOW, own_first, NULL);
    for (int i = 0; i < LIMIT_MS && !first_owned; i++)
        thread_sleep_ms(1);
    between = thread_create("between", THREAD_PRIORITY_LOW, own_second, NULL);
    for (int i = 0; i < LIMIT_MS && !second_owned; i++)
        thread_sleep_ms(1);
    middle = thread_create("middle", THREAD_PRIORITY_LOW + 1, compute_until_done, NULL);
    high = thread_create("high", THREAD_PRIORITY_HIGH, want_second, NULL);
    if (!expect(low != NULL && between != NULL && middle != NULL && high != NULL))
        return;
    expect_equal(thread_join(middle), true); /* the high one ran before the middle one was done */
    expect_equal(thread_join(high), 0);
    expect_equal(thread_join(low), THREAD_PRIORITY_LOW); /* the lent priority is returned */
    expect_equal(thread_join(between), THREAD_PRIORITY_LOW);
}

static struct sync_mutex wanted;
static intptr_t owners; /* wanted */

static intptr_t own_wanted(void *argument)
{
    intptr_t order;

    (void)argument;
    sync_mutex_take(&wanted);
    order = ++owners;
    sync_mutex_give(&wanted);
    return order;
}

/* Read without the scheduler's lock: it only decides when the next step begins. */
static unsigned waiters_of_wanted(void)
{
    const struct queue_list *list = &wanted.waiters;
    unsigned count = 0;

    for (struct queue_link *l = queue_list_first(list); l != NULL; l = queue_list_after(list, l))
        count++;
    return count;
}

/* The threads arrive one after another: the one of low priority first, then two of equal
 * priority. */
static void the_best_waiter_is_next(void)
{
    static const struct {
        int priority;
        intptr_t order;
    } comers[] = {{THREAD_PRIORITY_LOW, 3}, {THREAD_PRIORITY_HIGH, 1}, {THREAD_PRIORITY_HIGH, 2}};
    struct thread *threads[3];

    owners = 0;
    sync_mutex_take(&wanted);
    for (unsigned i = 0; i < 3; i++) {
        threads[i] = thread_create("comer", comers[i].priority, own_wanted, NULL);
        expect(threads[i] != NULL);
        for (int look = 0; look < LIMIT_MS && waiters_of_wanted() <= i; look++)
            thread_sleep_ms(1);
        expect_equal(waiters_of_wanted(), i + 1);
    }
    sync_mutex_give(&wanted);
    for (unsigned i = 0; i < 3; i++)
        expect_equal(thread_join(threads[i]), comers[i].order);
}

const struct selftest selftest_sync[] = {
    {"mutex_excludes", mutex_excludes},
    {"condition_passes_turns", condition_passes_turns},
    {"a_waiter_lends_its_priority", a_waiter_lends_its_priority},
    {"the_best_waiter_is_next", the_best_waiter_is_next},
    {"semaphore_limits", semaphore_limits},
    {"queue_hands_over_everything", queue_hands_over_everything},
    {0},
};
