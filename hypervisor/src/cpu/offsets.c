/* Offsets into C structures for the assembly, read out of this file's assembly by the Makefile:
 * each line "->NAME value" becomes a #define in offsets.h. */
#include <stddef.h>

#include "cpu/cpu.h"
#include "cpu/guest.h"

#define OFFSET(name, type, member)                                                                 \
    __asm__ volatile("\n.ascii \"->" #name " %0\"" : : "i"(offsetof(type, member)))

void offsets(void);

void offsets(void)
{
    OFFSET(GUEST_X, struct guest_registers, x);
    OFFSET(GUEST_PC, struct guest_registers, pc);
    OFFSET(GUEST_SSTATUS, struct guest_registers, sstatus);
    OFFSET(GUEST_HSTATUS, struct guest_registers, hstatus);
    OFFSET(GUEST_HOST_SP, struct guest_registers, host_sp);
    OFFSET(GUEST_CAUSE, struct guest_registers, trap.cause);
    OFFSET(GUEST_STVAL, struct guest_registers, trap.stval);
    OFFSET(GUEST_HTVAL, struct guest_registers, trap.htval);
    OFFSET(GUEST_HTINST, struct guest_registers, trap.htinst);
    OFFSET(VECTOR_VSTART, struct guest_vector, vstart);
    OFFSET(VECTOR_VL, struct guest_vector, vl);
    OFFSET(VECTOR_VTYPE, struct guest_vector, vtype);
    OFFSET(VECTOR_VCSR, struct guest_vector, vcsr);
    OFFSET(VECTOR_REGISTERS, struct guest_vector, registers);
    OFFSET(CPU_STACK_TOP, struct cpu, stack_top);
}
