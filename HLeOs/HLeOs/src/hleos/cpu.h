/*
 * What each processor has of its own. There is one so far; all that differs from one processor to
 * the next is in struct cpu, and cpu_this() is the only way to it. Its GDT and TSS are
 * interrupt/gdt.h's.
 */
#ifndef HLEOS_CPU_H
#define HLEOS_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thread;

/* A stack, growing down from `high`; below `low` nothing is mapped down to `gap`. */
struct cpu_stack {
    uintptr_t gap, low, high;
};

enum { CPU_INTERRUPT_STACKS = 4 };

enum cpu_attention {
    CPU_RESCHEDULE = 1, /* a better thread is ready, or the time slice is over */
    CPU_TICKED = 2,     /* a tick has come: time to see how much is left of the stack */
};

struct cpu {
    struct cpu *self;    /* first: cpu_this() reads it through GS */
    uintptr_t user_sp;   /* asm/vectors.S: the program's stack pointer while it changes stacks */
    uintptr_t kernel_sp; /* where a program's thread enters the kernel: gdt_set_kernel_stack() */
    unsigned id;
    struct thread *current, *idle;
    const struct cpu_stack *stack; /* of the thread that runs; of the boot at first */
    struct cpu_stack interrupt_stacks[CPU_INTERRUPT_STACKS];
    unsigned interrupt_depth; /* interrupts being handled, one in another */
    unsigned locks_held;      /* spinlocks; above 0 there is no switching of threads */
    unsigned attention;       /* enum cpu_attention: what the way out of an interrupt looks at */
};

_Static_assert(offsetof(struct cpu, user_sp) == 8 && offsetof(struct cpu, kernel_sp) == 16,
               "asm/vectors.S reads them");

/* The processor this runs on. It may change whenever a thread can be switched away. */
static inline struct cpu *cpu_this(void)
{
    struct cpu *cpu;

    __asm__ volatile("movq %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

/* Makes cpu_this() work on the boot processor, and sets its control registers. */
void cpu_init(void);

/* True if a thread runs here that may sleep: no interrupt is being handled, no spinlock held. */
bool cpu_may_sleep(void);

/* Whether [at, at + size) is in the stack of the thread that runs, or in an interrupt's own. */
bool cpu_owns_stack(uintptr_t at, size_t size);

/* The FPU as a thread finds it at first: 512 bytes for asm_fxrstor(). */
const void *cpu_clean_fpu(void);

#endif
