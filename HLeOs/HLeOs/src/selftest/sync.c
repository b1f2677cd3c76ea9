/* Tests of mutex, condition variable, semaphore and blocking queue. */
#include <stddef.h>
#include <stdint.h>

#include "selftest/selftest.h"
#include "thread.h"
#include "thread/sync.h"

enum { THREADS = 4, ROUNDS = 500 };

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

/* Each waits for its own number to come up, in a circle. */
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
static volatile int inside, most_inside;

static intptr_t enter_and_leave(void *argument)
{
    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        sync_semaphore_wait(&permits);
        if (++inside > most_inside)
            most_inside = inside;
        thread_yield();
        inside--;
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

const struct selftest selftest_sync[] = {
    {"mutex_excludes", mutex_excludes},
    {"condition_passes_turns", condition_passes_turns},
    {"semaphore_limits", semaphore_limits},
    {"queue_hands_over_everything", queue_hands_over_everything},
    {0},
};
