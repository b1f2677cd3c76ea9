/* What happens when a program, or the kernel, does what the processor refuses. */
#ifndef KERNEL_CPU_FAULT_H
#define KERNEL_CPU_FAULT_H

#include "kernel/cpu/trap.h"

/* Kills the program that caused the exception. */
void fault_of_program(const struct trap_frame *frame);

/* For the kernel's own bugs: what is known and a backtrace, then the machine ends with an error. */
void __attribute__((noreturn)) fault_of_kernel(const struct trap_frame *frame);
void __attribute__((noreturn)) fault_panic(const char *reason);

/* Where the processor goes after a double fault, on a stack of its own. */
void __attribute__((noreturn)) fault_double(void);

/* The kernel options `fault` and `overflow`: a bug on purpose, to show what a real one looks like.
 */
void fault_on_purpose(void);

#endif
