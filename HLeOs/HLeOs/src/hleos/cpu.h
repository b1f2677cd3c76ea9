/*
 * What each processor has of its own. There is one so far; all that differs from one processor to
 * the next is in struct cpu, and cpu_this() is the only way to it.
 */
#ifndef HLEOS_CPU_H
#define HLEOS_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thread;

enum {
    CPU_SELECTOR_CODE = 0x08,
    CPU_SELECTOR_DATA = 0x10,
    CPU_SELECTOR_TSS = 0x18, /* two slots */
};

/* Stacks of the interrupts that must not trust the one in use: IST numbers, from 1. */
enum cpu_ist { CPU_IST_DOUBLE_FAULT = 1, CPU_IST_NMI = 2, CPU_IST_MACHINE_CHECK = 3, CPU_ISTS = 3 };
enum { CPU_IST_STACK_SIZE = 8192 };

/* SDM volume 3, 8.7: the 64-bit task state segment. */
struct cpu_tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, io_map;
} __attribute__((packed));

_Static_assert(sizeof(struct cpu_tss) == 104, "SDM volume 3, figure 8-11");

struct cpu {
    struct cpu *self; /* first: cpu_this() reads it through GS */
    unsigned id;
    struct thread *current, *idle;
    unsigned interrupt_depth; /* interrupts being handled, one in another */
    unsigned locks_held;      /* spinlocks; above 0 there is no switching of threads */
    bool reschedule;          /* a better thread is ready, or the time slice is over */
    uint64_t gdt[5];
    struct cpu_tss tss;
};

/* The processor this runs on. It may change whenever a thread can be switched away. */
static inline struct cpu *cpu_this(void)
{
    struct cpu *cpu;

    __asm__ volatile("movq %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

/* Loads the boot processor's GDT, TSS, GS and control registers. */
void cpu_init(void);

/* True if a thread runs here that may sleep: no interrupt is being handled, no spinlock held. */
bool cpu_may_sleep(void);

/* The FPU as a thread finds it at first: 512 bytes for asm_fxrstor(). */
const void *cpu_clean_fpu(void);

#endif
