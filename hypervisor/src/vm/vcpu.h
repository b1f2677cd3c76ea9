/*
 * A virtual CPU: the registers of a guest's hart while it does not run, its last trap, and pending
 * requests from other harts. Entered and left in cpu/switch.S.
 */
#ifndef VM_VCPU_H
#define VM_VCPU_H

#include "abi/sbi.h"
#include "cpu/guest.h"
#include "vm/insn.h"
#include "vm/irq_file.h"
#include "vm/vm.h"

/* The supervisor CSRs that belong to the guest. The last three exist once for HS and VS. */
struct vcpu_csrs {
    uint64_t vsstatus, vsie, vstvec, vsscratch, vsepc, vscause, vstval, vsatp;
    uint64_t hvip, vstimecmp;
    uint64_t scounteren, senvcfg, sstateen0;
};

enum vcpu_suspend { SUSPEND_NONE, SUSPEND_RETENTIVE, SUSPEND_NON_RETENTIVE };

enum { FENCE_VVMA = 1, FENCE_I = 2, FENCE_GVMA = 4 };
enum {
    FW_EVENTS = 22,
    FW_COUNTERS = 16
}; /* SBI 11.3: events SBI_PMU_FW_*, and how many we count */
enum { EXIT_KINDS = 32, EXIT_PLACES = 64 };

/* An instruction that left the guest. Several instructions share a slot: the one that exits most
 * often stays, and its count is at most too low. */
struct exit_place {
    uint64_t pc, count;
};

struct fw_counter {
    bool used, running;
    unsigned event;
    uint64_t value, started_at; /* the event's count when it was started */
};

/* One of the two events of SBI SSE, as a guest reads its attributes. */
struct sse_event {
    uint64_t attribute[SSE_ATTRIBUTES];
    uint64_t hart; /* on which it runs */
};

enum { EVENT_LOCAL, EVENT_GLOBAL, EVENTS }; /* the VM's global one is vCPU 0's */

struct vcpu {
    struct guest_registers regs;
    uint64_t f[33]; /* f[32] is fcsr */
    struct vcpu_csrs csr;
    struct guest_vector vector;
    struct vm *vm;
    unsigned id; /* the guest's hart id */
    struct irq_file irq_file;
    struct task task; /* TASK_STOPPED, or what SBI 9.1 calls started or suspended */
    uint64_t version; /* counts changes of what is saved here */

    /* Its own hart's, or written while it is stopped. */
    enum vcpu_suspend suspend;      /* from its call until it runs again */
    uint64_t resume_pc, resume_arg; /* of a non-retentive suspend */
    uint64_t soft_timer;            /* guest time; ~0 none. Only where the machine has no Sstc */
    gpa_t steal;                    /* SBI STA's shared memory; ~0: none */
    uint32_t steal_sequence;
    bool ad_updating, ad_locked; /* SBI FWFT: the hart sets A and D bits of the guest's pages */
    struct insn insn; /* the instruction of the trap being handled, for log=trap and reports */

    /* Set by anyone, taken by the hart that runs it (atomics). */
    uint64_t inject;   /* HVIP_VSSIP from IPIs */
    uint32_t external; /* level of its external interrupt line */
    uint32_t fences;   /* FENCE_* due before it runs again */
    bool event_due;    /* vm_hooks.event has something for it */

    /* SBI SSE; under the VM's event_lock. */
    struct sse_event events[EVENTS];
    bool events_masked;

    uint64_t exits[EXIT_KINDS], mmio_exits;
    struct exit_place places[EXIT_PLACES];
    uint64_t fw_events[FW_EVENTS];
    struct fw_counter fw_counters[FW_COUNTERS];
};

static inline struct vcpu *vcpu_of(struct task *task)
{
    return (struct vcpu *)((char *)task - offsetof(struct vcpu, task));
}

/* Stopped, and held until its VM runs. */
struct vcpu *vcpu_create(struct vm *vm, unsigned id) MUST_CHECK;
/* Frees a vCPU of a VM that never ran. */
void vcpu_destroy(struct vcpu *v);
/* Sets the state of a hart that was started (SBI 9.1): at `pc` in VS-mode, translation off. */
void vcpu_reset(struct vcpu *v, uint64_t pc, uint64_t argument);
/* Ends a suspend: a non-retentive one at resume_pc, with its timer and what is pending kept. */
void vcpu_wake_up(struct vcpu *v);
/* Its own SSE event is unused, and events are masked, as where a hart begins. */
void vcpu_reset_events(struct vcpu *v);
/* Forgets what belongs to a boot and not to a start: counters, shared memory, events. */
void vcpu_forget_boot(struct vcpu *v);
/* The saved state was changed: a hart that has an older copy loaded must load it again. */
void vcpu_changed(struct vcpu *v);

/* Moves its state into this hart, or out of it. */
void vcpu_load(struct vcpu *v);
void vcpu_save(struct vcpu *v);
/* Removes all guest state from this hart that could wake it or be used for translation. */
void vcpu_unload(void);
/* The same, if the state is that of a VM that stops. */
void vcpu_unload_stopping(void);
/* Whether no hart holds state of that VM, which stops and whose vCPUs do not run. Asks harts that
 * do to unload it. */
bool vcpu_none_is_held(const struct vm *vm);
bool vcpu_is_loaded(const struct vcpu *v); /* on this hart, and not saved */
/* Handles requests made since the last entry. Called right before the guest is entered. */
void vcpu_sync(struct vcpu *v);

/* After a change of the G stage: returns when no hart uses an old translation; vCPUs that run later
 * fence first. */
void vcpu_fence_stage(struct vm *vm);

/* Raises a trap in the guest, as hardware would. Only on the hart it is loaded on. */
void vcpu_inject(struct vcpu *v, uint64_t cause, uint64_t stval);
/* Is an interrupt pending that the guest has enabled? Only while it is saved. */
bool vcpu_has_interrupt(const struct vcpu *v);
/* Host time of its next timer interrupt, ~0 for none. Only while it is saved. */
uint64_t vcpu_timer_due(const struct vcpu *v);
/* Programs its timer to guest time `when`. */
void vcpu_set_timer(struct vcpu *v, uint64_t when);
/* Whether the hart sets A and D bits for it; on the hart it is loaded on. */
void vcpu_set_ad_updating(struct vcpu *v, bool on);
/* Sends a software interrupt, sets the external line: from any hart. */
void vcpu_send_ipi(struct vcpu *v);
void vcpu_set_external(struct vcpu *v, bool level);

#endif
