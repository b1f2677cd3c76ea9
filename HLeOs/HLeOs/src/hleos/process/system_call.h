/* What the kernel knows of a program that runs, and the system calls that change it. */
#ifndef HLEOS_PROCESS_SYSTEM_CALL_H
#define HLEOS_PROCESS_SYSTEM_CALL_H

#include "interrupt/frame.h"
#include "memory/space.h"
#include "thread.h"

/* Its own thread's alone while that runs; process.c's before and after. */
struct process {
    unsigned id;
    struct space space;
    struct thread *thread;
    uintptr_t entry, stack, argv;
    int argc;
    uintptr_t data_begin, data_end; /* what sbrk() has made, and may take away */
};

/* Carries out the call that the frame's registers ask for (abi/hleos.h); the result is in RAX. */
void system_call(struct interrupt_frame *frame);

#endif
