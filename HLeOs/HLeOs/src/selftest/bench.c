/* See bench.h. Each figure is the middle of several runs, so that a tick in one of them does not
 * count. */
#include "HLeOs/HLeOs/src/selftest/bench.h"

#include <stddef.h>
#include <stdint.h>

#include "HLeOs/HLeOs/src/hleos/asm.h"
#include "HLeOs/HLeOs/src/hleos/interrupt.h"
#include "HLeOs/HLeOs/src/hleos/iostream.h"
#include "HLeOs/HLeOs/src/hleos/kmalloc.h"
#include "HLeOs/HLeOs/src/hleos/thread.h"
#include "HLeOs/HLeOs/src/hleos/timer.h"
#include "HLeOs/HLeOs/src/user.h"

enum { RUNS = 15, PAIRS = 200, SWITCHES = 5000, FULL_BLOCKS = 20000, BLOCK = 40 };

/* Measures one run of `operations` operations. */
typedef uint64_t measure(void);

static uint64_t middle(measure *run)
{
    uint64_t values[RUNS];

    for (int i = 0; i < RUNS; i++) {
        uint64_t value = run();
        int at = i;

        for (; at > 0 && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
    return values[RUNS / 2];
}

static uint64_t pairs(void)
{
    uint64_t start = asm_rdtsc();

    for (int i = 0; i < PAIRS; i++)
        kfree(kmalloc(BLOCK));
    return (asm_rdtsc() - start) / PAIRS;
}

/* Every other small block freed: the search finds holes, but all of them too small. */
static uint64_t pairs_in_full_heap(void)
{
    static void *blocks[FULL_BLOCKS];
    uint64_t value;

    for (int i = 0; i < FULL_BLOCKS; i++)
        blocks[i] = kmalloc(8);
    for (int i = 0; i < FULL_BLOCKS; i += 2)
        kfree(blocks[i]);
    value = pairs();
    for (int i = 1; i < FULL_BLOCKS; i += 2)
        kfree(blocks[i]);
    return value;
}

static intptr_t yield_often(void *argument)
{
    (void)argument;
    for (int i = 0; i < SWITCHES; i++)
        thread_yield();
    return 0;
}

/* Two threads that hand the processor to and fro; the thread that measures waits meanwhile. */
static uint64_t switches(void)
{
    struct thread *a = thread_create("a", THREAD_PRIORITY_HIGH - 1, yield_often, NULL);
    struct thread *b = thread_create("b", THREAD_PRIORITY_HIGH - 1, yield_often, NULL);
    uint64_t before = thread_switch_count(), start = asm_rdtsc();

    if (a != NULL)
        thread_join(a);
    if (b != NULL)
        thread_join(b);
    return (asm_rdtsc() - start) / (thread_switch_count() - before + 1);
}

static void ignore(void *context)
{
    (void)context;
}

static uint64_t interrupts(void)
{
    uint64_t start = asm_rdtsc();

    for (int i = 0; i < PAIRS; i++)
        __asm__ volatile("int $0x50" : : : "memory");
    return (asm_rdtsc() - start) / PAIRS;
}

void bench_run(void)
{
    uint64_t prompt = asm_rdtsc() - user_entry_tsc();

    interrupt_attach(INTERRUPT_TEST, "bench", ignore, NULL);
    println("bench entry_to_prompt %lu", prompt);
    println("bench entry_to_prompt_calibration %lu", timer_calibration_tsc());
    println("bench context_switch %lu", middle(switches));
    println("bench kmalloc_kfree_empty %lu", middle(pairs));
    println("bench kmalloc_kfree_full %lu", middle(pairs_in_full_heap));
    println("bench interrupt %lu", middle(interrupts));
}
