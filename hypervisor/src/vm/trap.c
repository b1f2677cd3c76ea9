/* Traps out of guests; see trap.h. Causes: Privileged Architecture 15.6.1. */
#include "vm/trap.h"

#include "host/interrupts.h"
#include "host/serial.h"
#include "vm/fault.h"
#include "vm/irq_file.h"
#include "vm/life.h"

static void on_call(struct vcpu *v)
{
    vm_hooks.call(v);
}

/* A virtual-instruction exception: the H extension forbids the instruction in a guest. Those that
 * the hypervisor does not emulate become an illegal instruction exception, with the encoding. */
static void on_virtual_instruction(struct vcpu *v)
{
    if (!fault_fetch(v))
        return;
    if (v->insn.kind == INSN_WFI && (v->regs.sstatus & SSTATUS_SPP)) {
        v->regs.pc += 4;
        sched_block();
    } else if (v->insn.kind == INSN_WRS) { /* it spins for a lock: its holder may need a hart */
        v->regs.pc += 4;
        sched_yield();
    } else {
        vcpu_inject(v, CAUSE_ILLEGAL, v->insn.bits);
    }
}

/* Injects an exception that belongs to the guest. If the machine implements hedeleg, delegated
 * exceptions never come here. */
static void reflect(struct vcpu *v)
{
    vcpu_inject(v, v->regs.trap.cause, v->regs.trap.stval);
}

static void on_breakpoint(struct vcpu *v)
{
    if (!v->vm->debugged || !vm_hooks.breakpoint(v))
        reflect(v);
}

static void (*const handlers[])(struct vcpu *v) = {
    [CAUSE_FETCH_MISALIGNED] = reflect,
    [CAUSE_FETCH_ACCESS] = reflect,
    [CAUSE_ILLEGAL] = reflect,
    [CAUSE_BREAKPOINT] = on_breakpoint,
    [CAUSE_LOAD_MISALIGNED] = reflect,
    [CAUSE_LOAD_ACCESS] = reflect,
    [CAUSE_STORE_MISALIGNED] = reflect,
    [CAUSE_STORE_ACCESS] = reflect,
    [CAUSE_ECALL_U] = reflect,
    [CAUSE_ECALL_VS] = on_call,
    [CAUSE_FETCH_PAGE] = reflect,
    [CAUSE_LOAD_PAGE] = reflect,
    [CAUSE_STORE_PAGE] = reflect,
    [CAUSE_SOFTWARE_CHECK] = reflect,
    [CAUSE_HARDWARE_ERROR] = reflect,
    [CAUSE_FETCH_GUEST_PAGE] = fault_handle,
    [CAUSE_LOAD_GUEST_PAGE] = fault_handle,
    [CAUSE_VIRTUAL_INSN] = on_virtual_instruction,
    [CAUSE_STORE_GUEST_PAGE] = fault_handle,
};

void trap_interrupt(uint64_t number)
{
    switch (number) {
    case IRQ_S_SOFT:
        csr_clear(CSR_SIP, 1ul << IRQ_S_SOFT);
        vcpu_unload_stopping();
        sched_timer(); /* the sender has changed the hart's work before */
        break;
    case IRQ_S_TIMER:
        serial_poll();
        sched_timer();
        break;
    case IRQ_S_EXT:
        interrupts_serve();
        break;
    case IRQ_GUEST:
        irq_file_interrupts();
        break;
    default:
        break; /* not enabled in sie: impossible */
    }
}

static void count_place(struct vcpu *v)
{
    const uint64_t pc = v->regs.pc;
    struct exit_place *p = &v->places[(pc >> 1 ^ pc >> 7) % EXIT_PLACES];

    if (p->pc == pc)
        p->count++;
    else if (p->count > 0)
        p->count--;
    else
        *p = (struct exit_place){pc, 1};
}

static void serve(struct vcpu *v)
{
    uint64_t cause = v->regs.trap.cause & ~CAUSE_INTERRUPT;

    if (v->regs.trap.cause & CAUSE_INTERRUPT) {
        trap_interrupt(cause);
        return;
    }
    if (vm_hooks.trapped != NULL)
        vm_hooks.trapped(v);
    if (cause < ARRAY_SIZE(handlers) && handlers[cause] != NULL)
        handlers[cause](v);
    else
        life_kill(v, "it trapped with cause %lu, which is unknown here", cause);
}

void trap_handle(struct vcpu *v)
{
    void (*traced)(struct vcpu *, bool) = __atomic_load_n(&vm_hooks.traced, __ATOMIC_ACQUIRE);
    uint64_t cause = v->regs.trap.cause & ~CAUSE_INTERRUPT;

    v->insn = (struct insn){0};
    v->exits[(v->regs.trap.cause & CAUSE_INTERRUPT ? 24 + (cause >> 2 & 7) : cause) % EXIT_KINDS]++;
    if ((v->regs.trap.cause & CAUSE_INTERRUPT) == 0)
        count_place(v);
    if (traced != NULL)
        traced(v, false);
    serve(v);
    if (traced != NULL)
        traced(v, true);
}
