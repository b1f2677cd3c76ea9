/* Offsets into C structures for the assembly, read out of this file's assembly by the Makefile:
 * each line "->NAME value" becomes a #define in offsets.h. */
#include <stddef.h>

#include "cpu/cpu.h"
#include "vm/vcpu.h"

#define OFFSET(name, type, member)                                                                 \
    __asm__ volatile("\n.ascii \"->" #name " %0\"" : : "i"(offsetof(type, member)))

void offsets(void);

void offsets(void)
{
    OFFSET(VCPU_X, struct vcpu, x);
    OFFSET(VCPU_PC, struct vcpu, pc);
    OFFSET(VCPU_SSTATUS, struct vcpu, sstatus);
    OFFSET(VCPU_HSTATUS, struct vcpu, hstatus);
    OFFSET(VCPU_HOST_SP, struct vcpu, host_sp);
    OFFSET(VCPU_CAUSE, struct vcpu, trap.cause);
    OFFSET(VCPU_STVAL, struct vcpu, trap.stval);
    OFFSET(VCPU_HTVAL, struct vcpu, trap.htval);
    OFFSET(VCPU_HTINST, struct vcpu, trap.htinst);
    OFFSET(VECTOR_VSTART, struct vcpu_vector, vstart);
    OFFSET(VECTOR_VL, struct vcpu_vector, vl);
    OFFSET(VECTOR_VTYPE, struct vcpu_vector, vtype);
    OFFSET(VECTOR_VCSR, struct vcpu_vector, vcsr);
    OFFSET(VECTOR_REGISTERS, struct vcpu_vector, registers);
    OFFSET(CPU_STACK_TOP, struct cpu, stack_top);
}
