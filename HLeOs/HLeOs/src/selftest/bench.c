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

enum { RUNS = 15, PAIRS = 200, SWITCHES = 5000, LARGEST = 1 << 20, BLOCK = 40 };

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

/* All memory taken, in blocks of falling size, each holding the address of the one before; then one
 * small block given back. */
static uint64_t pairs_in_full_heap(void)
{
    void *chain = NULL;
    uint64_t value;

    for (size_t size = LARGEST; size >= BLOCK; size /= 2) {
        void **block;

        while ((block = kmalloc(size)) != NULL) {
            *block = chain;
            chain = block;
        }
    }
    if (chain != NULL) {
        void *last = chain;

        chain = *(void **)last;
        kfree(last);
    }
    value = pairs();
    while (chain != NULL) {
        void *block = chain;

        chain = *(void **)block;
        kfree(block);
    }
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
    struct thread *a = thread_create("a", THREAD_PRIORITY_LOW, yield_often, NULL);
    struct thread *b = thread_create("b", THREAD_PRIORITY_LOW, yield_often, NULL);
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
    println("bench interrupt %lu", middle(interrupts));
    println("bench kmalloc_kfree_full %lu", pairs_in_full_heap());
}
