/*
 * The harts of the machine: one structure each, found through the tp register, and how the harts
 * that OpenSBI did not boot are brought up (SBI 9, HSM). Traps of the hypervisor itself end here.
 */
#ifndef CPU_CPU_H
#define CPU_CPU_H

#include "cpu/csr.h"
#include "lib/types.h"

struct vcpu;

/* A trap that a GUARDED instruction ran into. */
struct fault {
    uint64_t cause, stval, htval, htinst;
};

struct cpu {
    uint64_t hartid;
    unsigned index;
    uint8_t *stack_top;
    bool online;
    struct fault fault;               /* the last one, written by host_trap() */
    struct vcpu *current;             /* the vCPU it runs, NULL when idle */
    struct vcpu *loaded;              /* the vCPU whose CSRs are in the hart, perhaps not running */
    struct vcpu *last_of_vm[VMS_MAX]; /* whose VS-stage translations the hart may still hold */
    uint64_t slice_end;               /* host time; ~0: the vCPU may run on */
    bool idle;                        /* under the scheduler's lock */
};

enum { CPU_STACK_ORDER = 3 }; /* 32 KiB, of each hart but the one that boots */

extern char image_start[], image_end[]; /* hypervisor.ld: all of the hypervisor but its heap */
extern struct cpu cpus[CPUS_MAX];
extern unsigned cpu_count;

static inline struct cpu *cpu_self(void)
{
    struct cpu *cpu;

    __asm__("mv %0, tp" : "=r"(cpu));
    return cpu;
}

/* Makes `cpus` from the machine's harts and gives this hart its structure. */
void cpu_init_boot(uint64_t hartid);
/* What every hart sets up for itself before it runs guests. */
void cpu_init_hart(void);
/* Starts the other harts: each runs `entry` on its own stack. */
void cpu_start_others(void (*entry)(void));
/* Interrupts another hart, so that it looks at what has changed. */
void cpu_kick(struct cpu *cpu);

#endif
