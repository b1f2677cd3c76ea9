/* Traps: exceptions, device interrupts, system calls. Interrupts stay off in the kernel, so it is
 * never entered twice, and needs no locks; only while it has nothing to do it lets them in. */
#ifndef KERNEL_CPU_TRAP_H
#define KERNEL_CPU_TRAP_H

#include <stdbool.h>
#include <stdint.h>

/* The registers of who was interrupted, in the order in which trap_entry.S and the processor push
 * them: a program's into its struct process, the kernel's own onto its stack. */
struct trap_frame {
    uint32_t gs, fs, es, ds;
    uint32_t edi, esi, ebp, unused_esp, ebx, edx, ecx, eax; /* pushal */
    uint32_t vector, error;                                 /* the stub, or the processor */
    uint32_t eip, cs, eflags;                               /* the processor */
    uint32_t esp, ss;                                       /* the processor, from ring 3 only */
};
_Static_assert(sizeof(struct trap_frame) == 19 * 4, "the order of pushes in trap_entry.S");

/* Sets up the interrupt controllers, with the lines of our two devices open. */
void trap_allow_interrupts(void);

/* Called by trap_entry.S. Returns whose registers to go on with. */
struct trap_frame *trap_handle(struct trap_frame *frame);

/* trap_entry.S: leaves the kernel with these registers. */
void __attribute__((noreturn)) trap_return(struct trap_frame *frame);

#endif
