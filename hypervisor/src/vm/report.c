/* Reports about a guest that was ended; see report.h. */
#include "vm/report.h"

#include "cpu/csr.h"
#include "lib/console.h"
#include "vm/walk.h"

void report_registers(const struct vcpu *v)
{
    print("hv:  pc   %016lx  sstatus %016lx  hstatus %016lx  %s-mode\n", v->regs.pc,
          v->regs.sstatus, v->regs.hstatus, v->regs.sstatus & SSTATUS_SPP ? "VS" : "VU");
    for (unsigned i = 1; i < 32; i += 4) {
        char line[128];
        int n = 0;

        for (unsigned j = i; j < i + 4 && j < 32; j++)
            n += fmt_snprint(line + n, sizeof line - (size_t)n, "  %-4s %016lx", insn_register(j),
                             v->regs.x[j]);
        print("hv:%s\n", line);
    }
}

void report_print(struct vcpu *v, const char *reason)
{
    char text[INSN_TEXT_SIZE];

    print("hv: vm %s is ended: %s\n", v->vm->config.name, reason);
    print("hv:  vCPU %u, cause %lu (%s), stval 0x%lx, htval 0x%lx, htinst 0x%lx\n", v->id,
          v->regs.trap.cause, report_cause(v->regs.trap.cause), v->regs.trap.stval,
          v->regs.trap.htval, v->regs.trap.htinst);
    if (v->insn.length != 0)
        print("hv:  instruction: %s\n", insn_text(&v->insn, text));
    report_registers(v);
    print("hv: where pc is:\n");
    walk_print(v, v->regs.pc);
    print("hv: where stval is:\n");
    walk_print(v, v->regs.trap.stval);
}

const char *report_cause(uint64_t cause)
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

const char *report_interrupt(unsigned number)
{
    return number == IRQ_S_SOFT ? "from another hart" : number == IRQ_S_TIMER ? "timer" : "device";
}
