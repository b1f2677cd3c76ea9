/* Real mode: code, data and stack are all in the guest's window. */
#include "cpu/segments.h"
#include "cpu/state.h"

enum { STACK_TOP = 0xfffe, IVT_LIMIT = 0x3ff, SEGMENT_LIMIT = 0xffff };

gpa_t cpu_reserved_real(const struct memory *memory)
{
    return memory_low_end(memory); /* nothing: a real-mode guest needs no tables */
}

void cpu_start_real(const struct memory *memory, const struct cpu_start *start,
                    struct kvm_regs *regs, struct kvm_sregs *sregs)
{
    gpa_t base = memory->slots[0].base;
    struct kvm_segment data = {.base = base,
                               .limit = SEGMENT_LIMIT,
                               .selector = (uint16_t)(base >> 4),
                               .type = SEGMENT_DATA,
                               .present = 1,
                               .s = 1};
    struct kvm_segment code = data;

    code.type = SEGMENT_CODE;
    sregs->cs = code;
    sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
    sregs->idt = (struct kvm_dtable){.base = base, .limit = IVT_LIMIT};
    *regs = (struct kvm_regs){.rip = start->entry, .rsp = STACK_TOP, .rflags = RFLAGS_FIXED};
}
