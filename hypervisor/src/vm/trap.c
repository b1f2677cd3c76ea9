/* Traps out of guests; see trap.h. Causes: Privileged Architecture 15.6.1. */
#include "vm/trap.h"

#include "cpu/cpu.h"
#include "cpu/hyp.h"
#include "lib/options.h"
#include "mon/host_interrupt.h"
#include "sbi/sbi.h"
#include "vm/fault.h"
#include "vm/narrate.h"
#include "vm/sched.h"
#include "vm/vm.h"

bool trap_fetch(struct vcpu *v)
{
    const struct fault *fault = &cpu_self()->fault;
    uint16_t low, high = 0;

    if (hyp_fetch16(v->pc, &low) && (insn_length(low) == 2 || hyp_fetch16(v->pc + 2, &high))) {
        v->insn = insn_decode((uint32_t)high << 16 | low);
        return true;
    }
    /* Only a fault of the guest's own tables is told to it: a G-stage one is met again and served
     * when the guest itself fetches (and shows as an instruction page fault on some emulators). */
    if (fault->cause == CAUSE_FETCH_PAGE || fault->cause == CAUSE_FETCH_ACCESS)
        if (!fault_code_is_mapped(v))
            vcpu_inject(v, fault->cause, fault->stval);
    return false;
}

/* ---- Handlers ---- */

static void on_ecall(struct vcpu *v)
{
    sbi_call(v);
}

static void on_wfi(struct vcpu *v)
{
    v->pc += 4;
    sched_block(v);
}

/* An instruction that the guest may know but that the H extension keeps from it. What it may not do
 * is an illegal instruction to it, with its encoding. */
static void on_virtual_instruction(struct vcpu *v)
{
    if (!trap_fetch(v))
        return;
    if (v->insn.kind == INSN_WFI && (v->sstatus & SSTATUS_SPP))
        on_wfi(v);
    else
        vcpu_inject(v, CAUSE_ILLEGAL, v->insn.bits);
}

/* Delegated ones do not come here on a machine that keeps hedeleg; they are the guest's anyway. */
static void reflect(struct vcpu *v)
{
    vcpu_inject(v, v->trap.cause, v->trap.stval);
}

static void (*const handlers[])(struct vcpu *v) = {
    [CAUSE_FETCH_MISALIGNED] = reflect,
    [CAUSE_FETCH_ACCESS] = reflect,
    [CAUSE_ILLEGAL] = reflect,
    [CAUSE_BREAKPOINT] = reflect,
    [CAUSE_LOAD_MISALIGNED] = reflect,
    [CAUSE_LOAD_ACCESS] = reflect,
    [CAUSE_STORE_MISALIGNED] = reflect,
    [CAUSE_STORE_ACCESS] = reflect,
    [CAUSE_ECALL_U] = reflect,
    [CAUSE_ECALL_VS] = on_ecall,
    [CAUSE_FETCH_PAGE] = reflect,
    [CAUSE_LOAD_PAGE] = reflect,
    [CAUSE_STORE_PAGE] = reflect,
    [CAUSE_FETCH_GUEST_PAGE] = fault_handle,
    [CAUSE_LOAD_GUEST_PAGE] = fault_handle,
    [CAUSE_VIRTUAL_INSN] = on_virtual_instruction,
    [CAUSE_STORE_GUEST_PAGE] = fault_handle,
};

static void serve_interrupt(uint64_t number)
{
    switch (number) {
    case IRQ_S_SOFT:
        csr_clear(CSR_SIP, 1ul << IRQ_S_SOFT);
        /* Whoever sent it changed something first: the slice may have become finite. */
        if (cpu_self()->current != NULL && cpu_self()->slice_end == ~0ul && sched_is_crowded())
            sched_timer();
        break;
    case IRQ_S_TIMER:
        host_interrupt_poll();
        sched_timer();
        break;
    case IRQ_S_EXT:
        host_interrupt_serve();
        break;
    default:
        break; /* not enabled in sie: cannot come */
    }
}

void trap_host_interrupts(void)
{
    uint64_t waiting = csr_read(CSR_SIP) & csr_read(CSR_SIE);

    for (uint64_t number = 0; number <= IRQ_S_EXT; number++)
        if (waiting & 1ul << number)
            serve_interrupt(number);
}

void trap_handle(struct vcpu *v)
{
    uint64_t cause = v->trap.cause & ~CAUSE_INTERRUPT;

    v->insn = (struct insn){0};
    v->exits[(v->trap.cause & CAUSE_INTERRUPT ? 24 + (cause >> 2 & 7) : cause) % EXIT_KINDS]++;
    if (v->trap.cause & CAUSE_INTERRUPT) {
        serve_interrupt(cause);
        return;
    }
    if (options.log_traps)
        narrate_trap(v);
    if (cause < ARRAY_SIZE(handlers) && handlers[cause] != NULL)
        handlers[cause](v);
    else
        vm_kill(v, "it trapped with cause %lu, which nothing here knows", cause);
}

const char *trap_cause_text(uint64_t cause)
{
    static const char *const names[] = {
        [CAUSE_FETCH_MISALIGNED] = "misaligned fetch",
        [CAUSE_FETCH_ACCESS] = "fetch access fault",
        [CAUSE_ILLEGAL] = "illegal instruction",
        [CAUSE_BREAKPOINT] = "breakpoint",
        [CAUSE_LOAD_MISALIGNED] = "misaligned load",
        [CAUSE_LOAD_ACCESS] = "load access fault",
        [CAUSE_STORE_MISALIGNED] = "misaligned store",
        [CAUSE_STORE_ACCESS] = "store access fault",
        [CAUSE_ECALL_U] = "call from user mode",
        [CAUSE_ECALL_S] = "call from HS-mode",
        [CAUSE_ECALL_VS] = "call from VS-mode",
        [CAUSE_FETCH_PAGE] = "fetch page fault",
        [CAUSE_LOAD_PAGE] = "load page fault",
        [CAUSE_STORE_PAGE] = "store page fault",
        [CAUSE_FETCH_GUEST_PAGE] = "guest page fault on a fetch",
        [CAUSE_LOAD_GUEST_PAGE] = "guest page fault on a load",
        [CAUSE_VIRTUAL_INSN] = "virtual instruction",
        [CAUSE_STORE_GUEST_PAGE] = "guest page fault on a store",
    };

    if (cause & CAUSE_INTERRUPT)
        return "interrupt";
    return cause < ARRAY_SIZE(names) && names[cause] != NULL ? names[cause] : "unknown cause";
}
