/* A vCPU as a reset leaves it: Intel SDM volume 3, table 10-1 (first column). */
#include "cpu/reset.h"

#include "cpu/segments.h"

enum { LIMIT = 0xffff, TYPE_LDT = 2, TYPE_TSS = 11 };
enum { RESET_CS = 0xf000, RESET_IP = 0xfff0 };
#define RESET_BASE UINT64_C(0xffff0000)
#define CR0_RESET  UINT64_C(0x60000010) /* caches off; a guest has no caches */

void cpu_reset(struct kvm_regs *regs, struct kvm_sregs *sregs)
{
    struct kvm_segment data = {.limit = LIMIT, .type = SEGMENT_DATA, .present = 1, .s = 1};

    *regs = (struct kvm_regs){.rip = RESET_IP, .rdx = 0x600, .rflags = RFLAGS_FIXED};
    sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
    sregs->cs = data;
    sregs->cs.type = SEGMENT_CODE;
    sregs->cs.selector = RESET_CS;
    sregs->cs.base = RESET_BASE;
    sregs->ldt = (struct kvm_segment){.limit = LIMIT, .type = TYPE_LDT, .present = 1};
    sregs->tr = (struct kvm_segment){.limit = LIMIT, .type = TYPE_TSS, .present = 1};
    sregs->gdt = sregs->idt = (struct kvm_dtable){.limit = LIMIT};
    sregs->cr0 = CR0_RESET;
    sregs->cr2 = sregs->cr3 = sregs->cr4 = sregs->cr8 = sregs->efer = 0;
    for (unsigned i = 0; i < sizeof sregs->interrupt_bitmap / sizeof sregs->interrupt_bitmap[0];
         i++)
        sregs->interrupt_bitmap[i] = 0;
}

void cpu_start_firmware(const struct memory *memory, const struct cpu_start *start,
                        struct kvm_regs *regs, struct kvm_sregs *sregs)
{
    (void)memory;
    (void)start;
    cpu_reset(regs, sregs);
}

void cpu_wake(uint32_t vector, struct kvm_regs *regs, struct kvm_sregs *sregs)
{
    cpu_reset(regs, sregs);
    sregs->cs.selector = (uint16_t)(vector >> 4);
    sregs->cs.base = vector & ~UINT64_C(0xf);
    regs->rip = vector & 0xf;
}
