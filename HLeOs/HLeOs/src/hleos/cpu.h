/*
 * The data of each processor, in struct cpu. Where no lock is named, only the processor itself uses
 * a field, and changes it with interrupts off. The GDT and TSS are in interrupt/gdt.h.
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
    CPU_TICKED = 2,     /* a tick has come: check how much of the stack is left */
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
    uint32_t apic_id;       /* its local APIC ID, by which others address it */
    struct thread *current; /* sched; the processor itself reads it without the lock */
    struct thread *idle;
    int promised;  /* sched: the priority of the best thread for which it was sent an interrupt */
    bool tickless; /* it is idle, and its timer is stopped */
    struct gdt *tables;
    const struct cpu_stack *stack; /* of the thread that runs; of the boot at first */
    struct cpu_stack interrupt_stacks[CPU_INTERRUPT_STACKS];
    unsigned interrupt_depth; /* interrupts being handled, one in another */
    unsigned attention;       /* enum cpu_attention: checked when an interrupt returns */
    unsigned urgent;          /* above 0: it prints urgent text (cpu/console.h) */
    struct lock *lock; /* the last spinlock that it took, or NULL; while it holds one, threads are
                          not switched */
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

/* The processor this runs on. With interrupts on, the thread may move to another processor before
 * the next instruction: then use CPU_READ(), which reads a field in one instruction. */
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
/* The structure for the next processor to be started; the same one until that is online. NULL:
 * CPU_MAX are in use. */
struct cpu *cpu_next(void);
/* The same as cpu_init() for the one that this runs on, `cpu`. */
void cpu_init_other(struct cpu *cpu);
/* Counts this processor as online from now on. */
void cpu_set_online(void);

/* The number of online processors; their ids are 0 to cpu_count() - 1. */
static inline unsigned cpu_count(void)
{
    extern unsigned cpu_online;

    return __atomic_load_n(&cpu_online, __ATOMIC_SEQ_CST);
}

struct cpu *cpu_at(unsigned id);

/* How this processor interrupts the others. The interrupt controller, a higher layer, attaches its
 * functions. */
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

    /* If the thread moves to another processor between two of these reads, each is 0 on both. */
    return current != NULL && current != CPU_READ(idle) && CPU_READ(interrupt_depth) == 0 &&
           CPU_READ(lock) == NULL;
}

/* Whether [at, at + size) is in the stack of the thread that runs, or in an interrupt stack. */
bool cpu_owns_stack(uintptr_t at, size_t size);

/* The initial FPU state of a thread: 512 bytes for asm_fxrstor(). */
const void *cpu_clean_fpu(void);

#endif
