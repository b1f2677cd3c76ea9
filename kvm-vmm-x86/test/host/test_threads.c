/* Unit tests of threads.c: locks and conditions under threads that contend for them. */
#include <signal.h>
#include <time.h>

#include "cmocka_all.h"
#include "host/threads.h"

enum { THREADS = 4, ROUNDS = 20000, TURNS = 500 };

static struct {
    struct lock lock;
    struct condition turned;
    unsigned long count;
    unsigned turn, next_id;
} test;

static void *add(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < ROUNDS; i++) {
        lock_take(&test.lock);
        test.count++;
        lock_release(&test.lock);
    }
    return NULL;
}

/* Each thread takes its turn after the previous one, and sleeps meanwhile. */
static void *take_turns(void *argument)
{
    unsigned id;

    (void)argument;
    lock_take(&test.lock);
    id = test.next_id++;
    for (unsigned i = 0; i < TURNS; i++) {
        while (test.turn % THREADS != id)
            condition_wait(&test.turned, &test.lock);
        test.turn++;
        condition_wake_all(&test.turned);
    }
    lock_release(&test.lock);
    return NULL;
}

static void run_all(void *(*run)(void *))
{
    struct thread threads[THREADS];
    struct error error;

    lock_init(&test.lock);
    condition_init(&test.turned);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(thread_start(&threads[i], run, NULL, &error), 0);
    for (unsigned i = 0; i < THREADS; i++)
        thread_join(&threads[i]);
    assert_int_equal(test.lock.state, LOCK_FREE);
}

static void test_one_at_a_time(void **state)
{
    (void)state;
    run_all(add);
    assert_int_equal(test.count, THREADS * ROUNDS);
}

static void test_no_wake_is_lost(void **state)
{
    (void)state;
    run_all(take_turns);
    assert_int_equal(test.turn, THREADS * TURNS);
}

/* It waits at least as long as the limit, and returns with the lock. */
static void test_a_limit(void **state)
{
    struct timespec before, after;

    (void)state;
    lock_init(&test.lock);
    condition_init(&test.turned);
    clock_gettime(CLOCK_MONOTONIC, &before);
    lock_take(&test.lock);
    condition_wait_for(&test.turned, &test.lock, 20000000);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_int_equal(test.lock.state, LOCK_TAKEN);
    assert_int_equal(test.turned.sleepers, 0);
    assert_true((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec >=
                20000000);
    lock_release(&test.lock);
}

struct ticked {
    struct thread_ticks *ticks;
    volatile unsigned char flag;
};

/* Each thread gets its own kicks, even if the kernel gives it the thread ID of an earlier one. */
static void *be_kicked(void *argument)
{
    struct ticked *t = argument;
    struct error error;

    thread_kick_flag(&t->flag);
    if (thread_ticks_begin(t->ticks, 1000000, 1000000, &error) < 0)
        return NULL;
    while (!t->flag)
        thread_nap();
    thread_ticks_stop(t->ticks);
    thread_kick_flag(NULL); /* later kicks set nothing */
    t->flag = 0;
    raise(SIGUSR1);
    return NULL;
}

static void test_ticks(void **state)
{
    struct thread_ticks ticks = {0};
    uint64_t before = 0;

    (void)state;
    thread_kicks_init();
    for (unsigned i = 0; i < 3; i++) {
        struct ticked t = {.ticks = &ticks};
        struct thread thread;
        struct error error;

        assert_int_equal(thread_start(&thread, be_kicked, &t, &error), 0);
        thread_join(&thread);
        assert_int_equal(t.flag, 0);
        assert_true(ticks.thread > before);
        before = ticks.thread;
    }
    thread_ticks_close(&ticks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_at_a_time),
        cmocka_unit_test(test_no_wake_is_lost),
        cmocka_unit_test(test_a_limit),
        cmocka_unit_test(test_ticks),
    };

    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
