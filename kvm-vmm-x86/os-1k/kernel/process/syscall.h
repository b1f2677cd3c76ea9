/* The system calls. */
#ifndef KERNEL_PROCESS_SYSCALL_H
#define KERNEL_PROCESS_SYSCALL_H

struct trap_frame;

/* Serves the system call whose number (abi/hypercall.h) is in the frame's EAX, and leaves the
 * result there. Returns whose registers to go on with. */
struct trap_frame *syscall_handle(struct trap_frame *frame);

#endif
