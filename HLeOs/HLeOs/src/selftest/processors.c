/* Tests of several processors at once; see processors.h. */
#include <stddef.h>
#include <stdint.h>

#include "asm.h"
#include "common/exception.h"
#include "cpu.h"
#include "kmalloc.h"
#include "selftest/processors.h"
#include "selftest/selftest.h"
#include "thread.h"
#include "thread/sync.h"
#include "timer.h"

enum { ROUNDS = 2000, LIMIT_S = 60, LARGE = 10000 };

static volatile bool leave;
static unsigned arrived;

/* A thread that waits here keeps its processor, as no thread has a higher priority. */
static intptr_t stay(void *argument)
{
    (void)argument;
    __atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
    while (!leave)
        x86_pause();
    return 0;
}

/* Waits until `count` threads run at the same time; false if they do not. */
static bool all_are_there(unsigned count)
{
    uint64_t end = timer_now() + LIMIT_S * 1000 * TIMER_NS_PER_MS;

    while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) < count && timer_now() < end)
        thread_yield();
    return __atomic_load_n(&arrived, __ATOMIC_SEQ_CST) == count;
}

static void with_others_occupied(unsigned others, void (*run)(void))
{
    struct thread *threads[CPU_MAX];

    leave = false;
    arrived = 0;
    for (unsigned i = 0; i < others; i++) {
        threads[i] = thread_create("stays", THREAD_PRIORITIES - 1, stay, NULL);
        expect(threads[i] != NULL);
    }
    if (expect(all_are_there(others)) && run != NULL)
        run();
    leave = true;
    for (unsigned i = 0; i < others; i++)
        thread_join(threads[i]);
}

void processors_leave_one(void (*run)(void))
{
    with_others_occupied(cpu_count() - 1, run);
}

static bool is_alone(void)
{
    if (cpu_count() == 1)
        selftest_leave_out("one processor");
    return cpu_count() == 1;
}

/* Starts one thread for each other processor: with one more this thread would never run again. */
static void all_run_at_once(void)
{
    if (!is_alone())
        with_others_occupied(cpu_count() - 1, NULL);
}

/* Passes the time from processor to processor. */
static volatile uint64_t ball;
static unsigned turn, backwards;

static intptr_t throw(void *argument)
{
    unsigned me = (unsigned)(uintptr_t)argument;

    for (int i = 0; i < ROUNDS; i++) {
        uint64_t now;

        while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) % 2 != me)
            x86_pause();
        now = timer_now();
        backwards += now < ball;
        ball = now;
        __atomic_add_fetch(&turn, 1, __ATOMIC_RELEASE);
    }
    return 0;
}

static void time_is_the_same_on_all(void)
{
    struct thread *threads[2];

    if (is_alone())
        return;
    turn = backwards = 0;
    ball = 0;
    for (uintptr_t i = 0; i < 2; i++)
        threads[i] = thread_create("throws", THREAD_PRIORITY_NORMAL, throw, (void *)i);
    for (int i = 0; i < 2; i++)
        expect(threads[i] != NULL && thread_join(threads[i]) == 0);
    expect_equal(backwards, 0);
}

static volatile bool freed;

/* Reads a block, so that its processor has a TLB entry for it, and again after the block is
 * unmapped. */
static intptr_t read_twice(void *block)
{
    volatile char *p = block;
    char first = p[0];

    __atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
    while (!freed)
        x86_pause();
    return first == p[0];
}

/* The page fault's report is expected. */
static void what_is_unmapped_is_unmapped_for_all(void)
{
    char *block;
    struct thread *thread;

    if (is_alone())
        return;
    block = kmalloc(LARGE);
    freed = false;
    arrived = 0;
    thread =
        block != NULL ? thread_create("reads", THREAD_PRIORITIES - 1, read_twice, block) : NULL;
    if (!expect(thread != NULL && all_are_there(1)))
        return;
    kfree(block);
    freed = true;
    expect_equal(thread_join(thread), THREAD_FAULTED + EXCEPTION_PF);
}

static volatile uint64_t counts[CPU_MAX]; /* one for each processor, changed with interrupts off */

static bool all_take_part(void)
{
    unsigned i = 0;

    while (i < cpu_count() && counts[i] > 0)
        i++;
    return i == cpu_count();
}

/* Returns the number of rounds. */
static intptr_t wander(void *argument)
{
    uint64_t end = timer_now() + LIMIT_S * 1000 * TIMER_NS_PER_MS;
    int i = 0;

    (void)argument;
    for (; i < ROUNDS || (!all_take_part() && timer_now() < end); i++) {
        uint64_t flags = asm_interrupts_off();

        counts[cpu_this()->id]++;
        asm_interrupts_restore(flags);
        thread_yield();
    }
    return i;
}

/* More threads than processors all yield: none is lost, and all processors run some. */
static void threads_wander(void)
{
    struct thread *threads[2 * CPU_MAX];
    unsigned count = 2 * cpu_count();
    uint64_t sum = 0, rounds = 0;

    for (unsigned i = 0; i < CPU_MAX; i++)
        counts[i] = 0;
    for (unsigned i = 0; i < count; i++)
        threads[i] = thread_create("wanders", THREAD_PRIORITY_LOW, wander, NULL);
    for (unsigned i = 0; i < count; i++)
        rounds += expect(threads[i] != NULL) ? (uint64_t)thread_join(threads[i]) : 0;
    for (unsigned i = 0; i < cpu_count(); i++)
        sum += counts[i];
    expect(all_take_part());
    expect_equal(sum, rounds);
}

const struct selftest selftest_processors[] = {
    {"all_run_at_once", all_run_at_once},
    {"time_is_the_same_on_all", time_is_the_same_on_all},
    {"what_is_unmapped_is_unmapped_for_all", what_is_unmapped_is_unmapped_for_all},
    {"threads_wander", threads_wander},
    {0},
};
