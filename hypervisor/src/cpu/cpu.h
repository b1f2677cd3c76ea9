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
    struct fault fault; /* the last one, written by host_trap() */
    uint64_t off_since; /* interrupts have waited since then at most */
    uint64_t off_most;  /* the longest they ever waited */
};

enum { CPU_STACK_ORDER = 3 }; /* 32 KiB, of each hart but the one that boots */

/* hypervisor.ld: all of the hypervisor but its heap; in it, what only boot.S needed. */
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
/* What every hart sets up for itself before it runs guests. */
void cpu_init_hart(void);
/* Whether a guest's breakpoints on this hart are its own or come to the hypervisor. */
void cpu_delegate_breakpoints(bool own);
/* Starts another hart, which runs `entry` on its stack; false where the firmware does not. */
bool cpu_start(struct cpu *cpu, uint8_t *stack_top, void (*entry)(void)) MUST_CHECK;
/* Interrupts another hart, so that it looks at what has changed. */
void cpu_kick(struct cpu *cpu);

/* The hypervisor runs with interrupts off. `serve` is called for each that waits, by number, from
 * cpu_serve_interrupts(): between two steps of anything long, with no lock held. */
void cpu_set_interrupt_handler(void (*serve)(uint64_t number));
void cpu_serve_interrupts(void);
/* Notes that interrupts were off until now, or are from now on. */
void cpu_interrupts_were_off(void);
void cpu_interrupts_are_off(void);

#endif
