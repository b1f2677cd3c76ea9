/* What the kernel sees of the program, or of itself, when it is interrupted. */
#ifndef KERNEL_CPU_TRAP_H
#define KERNEL_CPU_TRAP_H

#include <stdbool.h>
#include <stdint.h>

/* The registers in the order in which trap_entry.S and the processor push them. */
struct trap_frame {
    uint32_t gs, fs, es, ds;
    uint32_t edi, esi, ebp, unused_esp, ebx, edx, ecx, eax; /* pushal */
    uint32_t vector, error;                                 /* the stub, or the processor */
    uint32_t eip, cs, eflags;                               /* the processor */
    uint32_t esp, ss;                                       /* the processor, from ring 3 only */
};
_Static_assert(sizeof(struct trap_frame) == 19 * 4, "the order of pushes in trap_entry.S");

/* trap_entry.S: leaves the kernel through the frame that the stack pointer is at. */
void trap_return(void);

/* Called by trap_entry.S. Returns to go on where the frame says. */
void trap_handle(struct trap_frame *frame);

/* True if a program was interrupted, false if the kernel itself. */
bool trap_from_program(const struct trap_frame *frame);

#endif
