/*
 * The processor: its tables, and its traps, which are exceptions, device interrupts and system
 * calls. Interrupts stay off in the kernel, so it is never entered twice and needs no locks. It
 * enables them only while no process can run.
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
#define NMI_TASK     0x38

/* The interrupt vectors: exceptions (common/exception.h), device interrupts, and system calls. */
#define VECTOR_IRQ_BASE    0x20
#define VECTOR_SYSTEM_CALL 0x80
#define VECTOR_COUNT       0x81

#ifndef __ASSEMBLY__
#include <stdbool.h>
#include <stdint.h>

/* The registers of the interrupted code, in the order in which entry.S and the processor push them:
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

/* Where the processor and entry.S put the registers at the next entry from ring 3. */
void descriptors_set_frame(struct trap_frame *frame);

/* Switches to that address space. */
void descriptors_set_space(uint32_t space);

/* For appendix.c: the TSS that kernel and programs run with, the address of a vector's entry, and a
 * gate that leads to another task. */
struct task_state {
    uint32_t link, esp0, ss0, unused[4];
    uint32_t cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
    uint32_t es, cs, ss, ds, fs, gs, ldt;
    uint16_t trap, io_map; /* an I/O map past the limit: ring 3 has no ports */
};
_Static_assert(sizeof(struct task_state) == 104, "SDM volume 3, figure 7-2");
extern struct task_state descriptors_task;
uint32_t descriptors_stub(unsigned vector);
void descriptors_set_task(unsigned vector, uint32_t selector, const struct task_state *task);

/* Sets up the interrupt controllers, with the lines of our two devices open. */
void trap_allow_interrupts(void);

/* Called by entry.S. Returns the registers to continue with. */
struct trap_frame *trap_handle(struct trap_frame *frame);

/* Prints what an exception was, in words. */
void fault_print(const struct trap_frame *frame);

/* For the kernel's own bugs: prints what is known and a backtrace, and ends the machine with status
 * 1. */
void __attribute__((noreturn)) fault_of_kernel(const struct trap_frame *frame);
void __attribute__((noreturn)) fault_panic(const char *reason);

/* Causes a bug, `fault` or `overflow`, to show what the report of a real one looks like. */
void fault_on_purpose(const char *which);
#endif

#endif
