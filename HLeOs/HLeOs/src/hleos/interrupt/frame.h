/* What lies on the stack when an interrupt's C code runs, as asm/vectors.S leaves it. */
#ifndef HLEOS_INTERRUPT_FRAME_H
#define HLEOS_INTERRUPT_FRAME_H

#include <stdint.h>

/* A handler may change it to return elsewhere. */
struct interrupt_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss; /* the CPU's part: SDM volume 3, 6.14.2 */
};

_Static_assert(sizeof(struct interrupt_frame) == 22 * 8, "asm/vectors.S pushes this");

#endif
