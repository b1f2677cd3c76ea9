/* What happens when a program, or the kernel, does what the processor refuses. */
#ifndef KERNEL_CPU_FAULT_H
#define KERNEL_CPU_FAULT_H

#include "kernel/cpu/trap.h"

/* Kills the program that caused the exception, or stops the machine if it was the kernel. */
void fault_handle(struct trap_frame *frame);

/* For the kernel's own bugs: prints the reason and a backtrace, ends the machine with an error. */
void __attribute__((noreturn)) fault_panic(const char *reason);

#endif
