/* Tests that faults end the thread that caused them, with the right cause, and nothing else. The
 * reports they print are expected. */
#include <stddef.h>
#include <stdint.h>

#include "asm.h"
#include "common/exception.h"
#include "cpu.h"
#include "interrupt.h"
#include "iostream.h"
#include "memory/layout.h"
#include "memory/page.h"
#include "selftest/selftest.h"
#include "thread.h"
#include "timer.h"

extern char kernel_start[], rodata_start[];

static intptr_t divide(void *zero)
{
    int result;

    __asm__ volatile("xorl %%edx, %%edx; movl $1, %%eax; divl %1"
                     : "=a"(result)
                     : "r"((int)(intptr_t)zero)
                     : "edx");
    return result;
}

static intptr_t invalid_opcode(void *argument)
{
    (void)argument;
    __asm__ volatile("ud2");
    return 0;
}

static intptr_t read_at(void *address)
{
    return *(volatile char *)address;
}

static intptr_t write_at(void *address)
{
    *(volatile char *)address = 0;
    return 0;
}

static intptr_t execute_at(void *address)
{
    ((void (*)(void))address)();
    return 0;
}

/* Must not become a loop: each call needs a stack frame. */
static __attribute__((noinline)) uint64_t deeper(volatile uint64_t *above)
{
    volatile uint64_t here[32];

    here[0] = *above + 1;
    if (here[0] == UINT64_MAX) /* never: the stack overflows first */
        return 0;
    return deeper(here) + here[0];
}

static intptr_t overflow_stack(void *argument)
{
    volatile uint64_t start = 0;

    (void)argument;
    return (intptr_t)deeper(&start);
}

static intptr_t load_bad_segment(void *argument)
{
    (void)argument;
    __asm__ volatile("movw %0, %%fs" : : "r"((uint16_t)0xfff8));
    return 0;
}

static intptr_t breakpoint(void *argument)
{
    (void)argument;
    __asm__ volatile("int3");
    return 7;
}

static long outcome(const char *name, thread_entry *entry, void *argument)
{
    struct thread *thread = thread_create(name, THREAD_PRIORITY_NORMAL, entry, argument);

    return expect(thread != NULL) ? thread_join(thread) : -1;
}

static void the_guilty_thread_ends(void)
{
    size_t free_before = selftest_pages_left();

    expect_equal(outcome("divides", divide, NULL), THREAD_FAULTED + EXCEPTION_DE);
    expect_equal(outcome("ud2", invalid_opcode, NULL), THREAD_FAULTED + EXCEPTION_UD);
    expect_equal(outcome("null", read_at, NULL), THREAD_FAULTED + EXCEPTION_PF);
    expect_equal(outcome("segment", load_bad_segment, NULL), THREAD_FAULTED + EXCEPTION_GP);
    expect_equal(outcome("non-canonical", read_at, (void *)0x800000000000),
                 THREAD_FAULTED + EXCEPTION_GP);
    expect_equal(selftest_pages_left(), free_before);
}

static void pages_are_protected(void)
{
    static char data[16] = {(char)0xc3}; /* ret */

    expect_equal(outcome("writes text", write_at, kernel_start), THREAD_FAULTED + EXCEPTION_PF);
    expect_equal(outcome("writes const", write_at, rodata_start), THREAD_FAULTED + EXCEPTION_PF);
    if (x86_rdmsr(X86_MSR_EFER) & X86_EFER_NXE)
        expect_equal(outcome("runs data", execute_at, data), THREAD_FAULTED + EXCEPTION_PF);
}

static void stack_overflow_is_caught(void)
{
    expect_equal(outcome("overflows", overflow_stack, NULL), THREAD_FAULTED + EXCEPTION_DF);
    expect_equal(outcome("overflows again", overflow_stack, NULL), THREAD_FAULTED + EXCEPTION_DF);
}

static __attribute__((noinline)) uint64_t much_deeper(volatile char *above)
{
    volatile char here[12500];

    here[0] = (char)(above[0] + 1);
    if (here[0] == 127)
        return 0;
    return much_deeper(here) + (uint64_t)here[0];
}

static intptr_t large_frames(void *argument)
{
    volatile char start = 0;

    (void)argument;
    return (intptr_t)much_deeper(&start);
}

/* A frame larger than a stack's whole slot, of which only the far end is used. */
static intptr_t larger_than_the_stack(void *argument)
{
    volatile char buffer[40000];

    (void)argument;
    for (int i = 0; i < 2000; i++)
        buffer[i] = 'x';
    return buffer[7];
}

enum { WORDS = 1200, MARK = 0x1111 };

static volatile bool go;

/* Fills its stack, and checks it after other threads have run. Returns the number of changed
 * words. */
static intptr_t neighbour(void *argument)
{
    volatile uint64_t mine[WORDS];
    intptr_t changed = 0;

    (void)argument;
    for (int i = 0; i < WORDS; i++)
        mine[i] = MARK;
    while (!go)
        thread_yield();
    for (int i = 0; i < WORDS; i++)
        changed += mine[i] != MARK;
    return changed;
}

static void no_frame_reaches_another_stack(void)
{
    struct thread *below, *above, *guilty;

    go = false;
    below = thread_create("below", THREAD_PRIORITY_NORMAL, neighbour, NULL);
    guilty = thread_create("40 KB", THREAD_PRIORITY_NORMAL, larger_than_the_stack, NULL);
    above = thread_create("above", THREAD_PRIORITY_NORMAL, neighbour, NULL);
    if (expect(below != NULL && guilty != NULL && above != NULL)) {
        expect_equal(thread_join(guilty), THREAD_FAULTED + EXCEPTION_DF);
        go = true;
        expect_equal(thread_join(below), 0);
        expect_equal(thread_join(above), 0);
    }
    expect_equal(outcome("12 KB each", large_frames, NULL), THREAD_FAULTED + EXCEPTION_DF);
}

/* Spins with `left` bytes of stack: a tick's frame takes 40, a switch some hundreds. */
static intptr_t spin_near_the_end(void *left)
{
    uintptr_t sp = cpu_this()->stack->low + (uintptr_t)left;

    __asm__ volatile("movq %0, %%rsp; 1: pause; jmp 1b" : : "r"(sp) : "memory");
    return 0;
}

static void ticks_need_no_room_on_the_stack(void)
{
    static const uintptr_t left[] = {0, 16, 96, 400};
    uint64_t ticks;

    for (unsigned i = 0; i < sizeof left / sizeof left[0]; i++)
        expect_equal(outcome("near its end", spin_near_the_end, (void *)left[i]),
                     THREAD_FAULTED + EXCEPTION_DF);
    ticks = timer_ticks();
    thread_sleep_ms(20);
    expect(timer_ticks() > ticks);
}

static intptr_t print_bad_text(void *text)
{
    println("a text: %s", (const char *)text);
    return 0;
}

static void bad_text_ends_only_its_thread(void)
{
    expect_equal(outcome("bad text", print_bad_text, (void *)0xdeadbeef000),
                 THREAD_FAULTED + EXCEPTION_PF);
}

static void breakpoint_goes_on(void)
{
    expect_equal(outcome("int3", breakpoint, NULL), 7);
}

static volatile unsigned raised;

static void note(void *context)
{
    raised += *(unsigned *)context;
}

static void vectors_reach_their_handler(void)
{
    static unsigned step = 3;
    uint64_t before = interrupt_stats(INTERRUPT_TEST).count;

    if (interrupt_stats(INTERRUPT_TEST).name == NULL)
        interrupt_attach(INTERRUPT_TEST, "test", note, &step);
    raised = 0;
    for (int i = 0; i < 5; i++)
        __asm__ volatile("int $0x50" : : : "memory");
    expect_equal(raised, 15);
    expect_equal(interrupt_stats(INTERRUPT_TEST).count, before + 5);
}

const struct selftest selftest_faults[] = {
    {"vectors_reach_their_handler", vectors_reach_their_handler},
    {"the_guilty_thread_ends", the_guilty_thread_ends},
    {"pages_are_protected", pages_are_protected},
    {"stack_overflow_is_caught", stack_overflow_is_caught},
    {"no_frame_reaches_another_stack", no_frame_reaches_another_stack},
    {"ticks_need_no_room_on_the_stack", ticks_need_no_room_on_the_stack},
    {"bad_text_ends_only_its_thread", bad_text_ends_only_its_thread},
    {"breakpoint_goes_on", breakpoint_goes_on},
    {0},
};
