/* One line about each trap, before it is handled; see trap_log.h. */
#include "mon/trap_log.h"

#include "cpu/csr.h"
#include "cpu/hyp.h"
#include "lib/console.h"
#include "sbi/sbi.h"
#include "vm/fault.h"
#include "vm/report.h"

/* The instruction at pc, read without side effects on the guest. */
static const char *instruction_text(struct vcpu *v, char text[INSN_TEXT_SIZE])
{
    uint16_t low, high = 0;
    struct insn insn;

    if (!hyp_fetch16(v->regs.pc, &low) ||
        (insn_length(low) == 4 && !hyp_fetch16(v->regs.pc + 2, &high)))
        return "(not readable yet)";
    insn = insn_decode((uint32_t)high << 16 | low);
    return insn_text(&insn, text);
}

static const char *place(struct vcpu *v, gpa_t gpa)
{
    const struct device *device = vm_device_at(v->vm, gpa);

    return vm_contains(v->vm, gpa, 1) ? "RAM" : device != NULL ? device->ops->name : "nothing";
}

void trap_log(struct vcpu *v)
{
    char text[INSN_TEXT_SIZE];
    uint64_t cause = v->regs.trap.cause;
    const char *mode = v->regs.sstatus & SSTATUS_SPP ? "VS" : "VU";

    if (cause == CAUSE_ECALL_VS)
        print("hv: trap %s/%u %s-mode pc 0x%lx: %s, SBI %s function %lu, a0 0x%lx a1 0x%lx\n",
              v->vm->config.name, v->id, mode, v->regs.pc, report_cause(cause),
              sbi_extension_name(v->regs.x[17]), v->regs.x[16], v->regs.x[10], v->regs.x[11]);
    else if (cause == CAUSE_FETCH_GUEST_PAGE)
        print("hv: trap %s/%u %s-mode pc 0x%lx: %s, gpa 0x%lx (%s)\n", v->vm->config.name, v->id,
              mode, v->regs.pc, report_cause(cause), fault_address(v), place(v, fault_address(v)));
    else if (cause == CAUSE_LOAD_GUEST_PAGE || cause == CAUSE_STORE_GUEST_PAGE)
        print("hv: trap %s/%u %s-mode pc 0x%lx: %s by '%s', gva 0x%lx gpa 0x%lx (%s)\n",
              v->vm->config.name, v->id, mode, v->regs.pc, report_cause(cause),
              instruction_text(v, text), v->regs.trap.stval, fault_address(v),
              place(v, fault_address(v)));
    else
        print("hv: trap %s/%u %s-mode pc 0x%lx: %s '%s', stval 0x%lx\n", v->vm->config.name, v->id,
              mode, v->regs.pc, report_cause(cause), instruction_text(v, text), v->regs.trap.stval);
}
