/*
 * A virtual CPU: the registers of a guest's hart while it is not running, what its last trap was,
 * and what others have asked of it. Entered and left in cpu/switch.S.
 */
#ifndef VM_VCPU_H
#define VM_VCPU_H

#include "lib/types.h"
#include "vm/insn.h"

struct vm;
struct cpu;

/* How a trap out of the guest presents itself. */
struct trap {
    uint64_t cause, stval, htval, htinst;
};

/* The supervisor CSRs that belong to the guest. The last four exist once for HS and VS. */
struct vcpu_csrs {
    uint64_t vsstatus, vsie, vstvec, vsscratch, vsepc, vscause, vstval, vsatp;
    uint64_t hvip, vstimecmp;
    uint64_t scounteren, senvcfg, sstateen0;
};

struct vcpu_vector {
    uint64_t vstart, vl, vtype, vcsr;
    uint8_t *registers; /* 32 of vlenb bytes, NULL where the hart has no vector unit */
};

/* HSM states are those of the SBI specification 9.1; BLOCKED and the like are the scheduler's. */
enum vcpu_state {
    VCPU_STOPPED, /* not started, or stopped by itself */
    VCPU_READY,   /* waits in the run queue for a hart */
    VCPU_RUNNING, /* on a hart */
    VCPU_BLOCKED, /* in wfi, or suspended by SBI: waits for an interrupt */
};

enum vcpu_suspend { SUSPEND_NONE, SUSPEND_RETENTIVE, SUSPEND_NON_RETENTIVE };

enum { FENCE_VVMA = 1, FENCE_I = 2 };
enum {
    FW_EVENTS = 22,
    FW_COUNTERS = 16
}; /* SBI 11.3: events SBI_PMU_FW_*, and how many we count */
enum { EXIT_KINDS = 32 };

struct fw_counter {
    bool used, running;
    unsigned event;
    uint64_t value, started_at; /* the event's count when it was started */
};

struct vcpu {
    /* Read and written by switch.S. x[0] is never read. */
    uint64_t x[32];
    uint64_t pc, sstatus, hstatus;
    uint64_t host_sp;
    struct trap trap;
    uint64_t f[32], fcsr;

    struct vcpu_csrs csr;
    struct vcpu_vector vector;
    struct vm *vm;
    unsigned id; /* the guest's hart id */

    /* Guarded by the scheduler's lock. */
    enum vcpu_state state;
    enum vcpu_suspend suspend;
    struct vcpu *next_ready;
    uint64_t wake_at; /* host time at which a blocked vCPU must be looked at; ~0 for never */
    unsigned home;    /* index of the hart that watches wake_at */
    bool system_suspend;

    /* Which hart it runs on, NULL for none; written under the scheduler's lock, read by anyone. */
    struct cpu *cpu;
    struct cpu *last_cpu;

    /* Set by anyone, taken by the hart that runs it (atomics). */
    uint64_t inject;   /* HVIP_VSSIP from IPIs */
    uint32_t external; /* level of its external interrupt line */
    uint32_t fences;   /* FENCE_* due before it runs again */

    uint64_t soft_timer; /* guest time; ~0 none. Only used where the machine has no Sstc */
    uint64_t resume_pc, resume_arg; /* of a non-retentive suspend or a start */
    struct insn insn; /* the instruction of the trap being handled, for narration and reports */

    uint64_t exits[EXIT_KINDS], mmio_exits;
    uint64_t fw_events[FW_EVENTS];
    struct fw_counter fw_counters[FW_COUNTERS];
};

/* switch.S: runs the guest until it traps; v->trap says why. Interrupts stay off in the host. */
void vcpu_enter(struct vcpu *v);
/* fpu.S */
void fpu_save(uint64_t f[33]);
void fpu_load(const uint64_t f[33]);
uint64_t fpu_get(unsigned index); /* raw bits of an FP register */
void fpu_set(unsigned index, uint64_t bits);
void vector_save(struct vcpu_vector *to);
void vector_load(const struct vcpu_vector *from);

struct vcpu *vcpu_create(struct vm *vm, unsigned id) MUST_CHECK;
/* Puts it at `pc` in VS-mode, translation off, as SBI 9.1 says a started hart is. */
void vcpu_reset(struct vcpu *v, uint64_t pc, uint64_t argument);
/* Moves its state into this hart, or out of it. */
void vcpu_load(struct vcpu *v, struct cpu *cpu);
void vcpu_save(struct vcpu *v);
/* Takes what others asked since the last entry. Called right before vcpu_enter(). */
void vcpu_sync(struct vcpu *v);

/* Raises a trap in the guest, as its own hardware would. Only on the hart it is loaded on. */
void vcpu_inject(struct vcpu *v, uint64_t cause, uint64_t stval);
/* Is an interrupt pending that the guest has enabled? Only while it is saved. */
bool vcpu_has_interrupt(const struct vcpu *v);
/* Host time of its next timer interrupt, ~0 for none. Only while it is saved. */
uint64_t vcpu_timer_due(const struct vcpu *v);
/* Programs its timer to guest time `when`. */
void vcpu_set_timer(struct vcpu *v, uint64_t when);
/* Sends a software interrupt, sets the external line, asks for fences: from any hart. */
void vcpu_send_ipi(struct vcpu *v);
void vcpu_set_external(struct vcpu *v, bool level);

static inline uint64_t vcpu_reg(const struct vcpu *v, unsigned index)
{
    return index == 0 ? 0 : v->x[index];
}

static inline void vcpu_set_reg(struct vcpu *v, unsigned index, uint64_t value)
{
    if (index != 0)
        v->x[index] = value;
}

#endif
