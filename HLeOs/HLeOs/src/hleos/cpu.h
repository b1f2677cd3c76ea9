/*
 * What each processor has of its own: all that differs from one processor to the next is in struct
 * cpu. A field is its own processor's, which changes it with interrupts off, where nothing else is
 * said. Its GDT and TSS are interrupt/gdt.h's.
 */
#ifndef HLEOS_CPU_H
#define HLEOS_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lock;
struct thread;

/* A stack, growing down from `high`; below `low` nothing is mapped down to `gap`. */
struct cpu_stack {
    uintptr_t gap, low, high;
};

enum { CPU_MAX = 16, CPU_INTERRUPT_STACKS = 4 };

enum cpu_attention {
    CPU_RESCHEDULE = 1, /* a better thread is ready, or the time slice is over */
    CPU_TICKED = 2,     /* a tick has come: time to see how much is left of the stack */
};

struct cpu {
    struct cpu *self;    /* first: cpu_this() reads it through GS */
    uintptr_t user_sp;   /* asm/vectors.S: the program's stack pointer while it changes stacks */
    uintptr_t kernel_sp; /* where a program's thread enters the kernel: gdt_set_kernel_stack();
                            asm/trampoline.S: where a processor's first stack begins */
    /* asm/vectors.S, with KPTI=1: RAX while tables change; the stack of what comes from programs
     * (interrupt/gdt.c); the current space's two roots (memory/space.c), 0 before the first one. */
    uintptr_t scratch, entry_sp, root, user_root;
    unsigned id;            /* by the order of their start; the boot processor is 0 */
    uint32_t apic_id;       /* its name to the others */
    struct thread *current; /* sched; its own thread reads it without */
    struct thread *idle;
    int promised;  /* sched: the priority of the best thread that it has been called for */
    bool tickless; /* it has nothing to do, and its timer stands still */
    struct gdt *tables;
    const struct cpu_stack *stack; /* of the thread that runs; of the boot at first */
    struct cpu_stack interrupt_stacks[CPU_INTERRUPT_STACKS];
    unsigned interrupt_depth; /* interrupts being handled, one in another */
    unsigned attention;       /* enum cpu_attention: what the way out of an interrupt looks at */
    unsigned urgent;          /* above 0: it prints what must come out (cpu/console.h) */
    struct lock
        *lock; /* the last spinlock that it took; with one there is no switching of threads */
    /* cpu/flush.c; the others read them: the last request that it has answered, and whether it
     * halts and will answer before it does anything else. */
    uint64_t flushed;
    bool resting;
};

_Static_assert(offsetof(struct cpu, user_sp) == 8 && offsetof(struct cpu, kernel_sp) == 16 &&
                   offsetof(struct cpu, scratch) == 24 && offsetof(struct cpu, user_root) == 48,
               "asm/vectors.S reads them");

/* For what the processor, or asm/vectors.S, reads before the kernel's tables are there. */
#define CPU_IN_ALL_TABLES __attribute__((section(".bss.shared"), aligned(16)))

/* The processor this runs on. With interrupts on it may be another one before the next instruction:
 * then only CPU_READ() is of use, which reads a field at once. */
static inline struct cpu *cpu_this(void)
{
    struct cpu *cpu;

    __asm__ volatile("movq %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

#define CPU_READ(field)                                                                            \
    ({                                                                                             \
        __typeof__(((struct cpu *)NULL)->field) value_;                                            \
        __asm__ volatile("mov %%gs:%c1, %0" : "=r"(value_) : "i"(offsetof(struct cpu, field)));    \
        value_;                                                                                    \
    })

/* Makes cpu_this() work on the boot processor, and sets its control registers. */
void cpu_init(void);
/* The next one to be started: the same each time, until it is there. NULL if there are CPU_MAX. */
struct cpu *cpu_next(void);
/* The same as cpu_init() for the one that this runs on, `cpu`. */
void cpu_init_other(struct cpu *cpu);
/* This one takes part from here on. */
void cpu_set_online(void);

/* Those that take part: numbers 0 to cpu_count() - 1. */
static inline unsigned cpu_count(void)
{
    extern unsigned cpu_online;

    return __atomic_load_n(&cpu_online, __ATOMIC_SEQ_CST);
}

struct cpu *cpu_at(unsigned id);

/* How this processor reaches the others. The interrupt controller stands above, and attaches
 * itself. */
struct cpu_signals {
    void (*flush)(const struct cpu *cpu); /* has it call flush_serve() (cpu/flush.h) soon */
    void (*stop)(void);                   /* all of them, by a non-maskable interrupt */
};

void cpu_attach_signals(const struct cpu_signals *signals);
void cpu_signal_flush(const struct cpu *cpu);
void cpu_signal_stop(void);

/* True if a thread runs here that may sleep: no interrupt is being handled, no spinlock held. */
static inline bool cpu_may_sleep(void)
{
    const struct thread *current = CPU_READ(current);

    /* A thread that is moved to another processor between two of these has nothing on both. */
    return current != NULL && current != CPU_READ(idle) && CPU_READ(interrupt_depth) == 0 &&
           CPU_READ(lock) == NULL;
}

/* Whether [at, at + size) is in the stack of the thread that runs, or in an interrupt's own. */
bool cpu_owns_stack(uintptr_t at, size_t size);

/* The FPU as a thread finds it at first: 512 bytes for asm_fxrstor(). */
const void *cpu_clean_fpu(void);

#endif
