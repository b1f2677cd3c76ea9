/*
 * The harts of the machine: one structure each, found through the tp register, and how the harts
 * that OpenSBI did not boot are brought up (SBI 9, HSM). Traps of the hypervisor itself end here.
 */
#ifndef CPU_CPU_H
#define CPU_CPU_H

#include "cpu/csr.h"
#include "lib/types.h"

/* A trap that a GUARDED instruction ran into. */
struct fault {
    uint64_t cause, stval, htval, htinst;
};

struct cpu {
    uint64_t hartid;
    unsigned index;
    uint8_t *stack_top;
    bool online;
    uint8_t arrival;    /* atomic: of enum arrival in cpu.c */
    struct fault fault; /* the last one, written by host_trap() */
    uint64_t off_since; /* since when interrupts are off, host time */
    uint64_t off_most;  /* the longest they ever waited */
};

enum { CPU_STACK_ORDER = 3 }; /* 32 KiB, of each hart but the one that boots */

/* hypervisor.ld: the image of the hypervisor, and the part of it that only boot.S needs. */
extern char image_start[], image_end[], moves_start[], moves_end[];
extern struct cpu cpus[CPUS_MAX];
extern unsigned cpu_count;

static inline struct cpu *cpu_self(void)
{
    struct cpu *cpu;

    __asm__("mv %0, tp" : "=r"(cpu));
    return cpu;
}

/* Makes `cpus` from the machine's harts and gives this hart its structure. */
void cpu_init_boot(const uint64_t *hartids, unsigned count, uint64_t hartid);
/* Sets up this hart; every hart calls it before it runs guests. */
void cpu_init_hart(void);
/* Delegates breakpoint exceptions on this hart to the guest (`own`), or takes them in the
 * hypervisor. */
void cpu_delegate_breakpoints(bool own);
/* Starts another hart, which runs `entry` on its stack. False if the firmware refuses, or if the
 * hart has not arrived after `patience` ticks of the clock; one that arrives later waits forever.
 */
bool cpu_start(struct cpu *cpu, uint8_t *stack_top, void (*entry)(void),
               uint64_t patience) MUST_CHECK;
/* Interrupts another hart, so that it checks its state again. */
void cpu_kick(struct cpu *cpu);

/* The hypervisor runs with interrupts off. cpu_serve_interrupts() calls `serve` with the number of
 * each pending interrupt; long work calls it between two steps, with no lock held. */
void cpu_set_interrupt_handler(void (*serve)(uint64_t number));
void cpu_serve_interrupts(void);
/* Notes that interrupts were off until now, or are from now on. */
void cpu_interrupts_were_off(void);
void cpu_interrupts_are_off(void);

#endif
