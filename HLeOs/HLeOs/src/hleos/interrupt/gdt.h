/*
 * The segments and the task state segment: in 64-bit mode they only set the privilege level, and
 * the list of stacks for interrupts that must not use the current one.
 */
#ifndef HLEOS_INTERRUPT_GDT_H
#define HLEOS_INTERRUPT_GDT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    GDT_SELECTOR_CODE = 0x08,
    GDT_SELECTOR_DATA = 0x10,
    /* In the order that SYSRET wants: data 8 behind a base that is not used, code 16 behind it. */
    GDT_SELECTOR_USER_BASE = 0x18 | 3,
    GDT_SELECTOR_USER_DATA = 0x20 | 3,
    GDT_SELECTOR_USER_CODE = 0x28 | 3,
    GDT_SELECTOR_TSS = 0x30, /* two slots */
};

/* Stacks by their number in the interrupt stack table, from 1; 0 is the stack in use. */
enum gdt_stack {
    GDT_STACK_IN_USE = 0,
    GDT_STACK_DOUBLE_FAULT = 1,
    GDT_STACK_NMI = 2,
    GDT_STACK_MACHINE_CHECK = 3,
    GDT_STACK_DEVICES = 4, /* every interrupt that is not an exception */
};

struct cpu;

/* Allocates the tables of a processor before its start; false: out of memory. Does nothing if it
 * has them. */
bool gdt_prepare(struct cpu *cpu) __attribute__((warn_unused_result));
/* Loads this processor's GDT and TSS, stores the stacks in struct cpu, and enables SYSCALL. The
 * boot processor needs no gdt_prepare(). */
void gdt_init(void);
/* Sets the top of the stack on which programs enter the kernel. */
void gdt_set_kernel_stack(uintptr_t top);

#endif
