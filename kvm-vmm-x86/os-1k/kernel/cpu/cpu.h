/*
 * The processor: its tables, and its traps, which are exceptions, device interrupts and system
 * calls. Interrupts stay off in the kernel, so it is never entered twice, and needs no locks; only
 * while it has nothing to do it lets them in.
 */
#ifndef KERNEL_CPU_CPU_H
#define KERNEL_CPU_CPU_H

/* Segment selectors; the low two bits of the program's are its privilege level, 3. */
#define KERNEL_CODE  0x08
#define KERNEL_STACK 0x10
#define PROGRAM_CODE 0x1b
#define PROGRAM_DATA 0x23 /* the kernel's data too */
#define MAIN_TASK    0x28
#define RESCUE_TASK  0x30

/* The interrupt vectors: exceptions (common/exception.h), device interrupts, and system calls. */
#define VECTOR_IRQ_BASE    0x20
#define VECTOR_SYSTEM_CALL 0x80
#define VECTOR_COUNT       0x81

#ifndef __ASSEMBLY__
#include <stdint.h>

/* The registers of who was interrupted, in the order in which entry.S and the processor push them:
 * a program's into its struct process, the kernel's own onto its stack. */
struct trap_frame {
    uint32_t edi, esi, ebp, unused_esp, ebx, edx, ecx, eax; /* pushal */
    uint32_t vector, error;                                 /* the stub, or the processor */
    uint32_t eip, cs, eflags;                               /* the processor */
    uint32_t esp, ss;                                       /* the processor, from ring 3 only */
};
_Static_assert(sizeof(struct trap_frame) == 15 * 4, "the order of pushes in entry.S");

/* Completes and loads the tables: exceptions lead to trap_handle from here on. */
void descriptors_init(void);

/* From here on a double fault, which is what an overflow of the kernel's stack ends in, gets a
 * stack of its own. `space` is for it to run in. */
void descriptors_rescue(uint32_t space);

/* Where the processor and entry.S put the registers at the next entry from ring 3. */
void descriptors_set_frame(struct trap_frame *frame);

/* Sets up the interrupt controllers, with the lines of our two devices open. */
void trap_allow_interrupts(void);

/* Called by entry.S. Returns whose registers to go on with. */
struct trap_frame *trap_handle(struct trap_frame *frame);

/* Prints in words what an exception was about. */
void fault_print(const struct trap_frame *frame);

/* For the kernel's own bugs: what is known and a backtrace, then the machine ends with an error. */
void __attribute__((noreturn)) fault_of_kernel(const struct trap_frame *frame);
void __attribute__((noreturn)) fault_panic(const char *reason);

/* A bug on purpose, `fault` or `overflow`, to show what a real one looks like. */
void fault_on_purpose(const char *which);
#endif

#endif
