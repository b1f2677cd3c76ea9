/* System calls: what programs ask of the kernel. Numbers are in abi/hypercall.h. */
#ifndef KERNEL_PROCESS_SYSCALL_H
#define KERNEL_PROCESS_SYSCALL_H

#include "kernel/cpu/trap.h"

/* Serves the call whose number is in the frame's EAX, and leaves the result there. Returns whose
 * registers to go on with. */
struct trap_frame *syscall_handle(struct trap_frame *frame);

#endif
