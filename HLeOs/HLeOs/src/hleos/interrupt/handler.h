/* Exceptions: prints a report, and ends the thread that caused the exception if that is safe. */
#ifndef HLEOS_INTERRUPT_HANDLER_H
#define HLEOS_INTERRUPT_HANDLER_H

#include <stdbool.h>
#include <stdint.h>

#include "interrupt/frame.h"

/* Functions of the threads, a higher layer, which attaches them. */
struct handler_threads {
    const char *(*name)(void); /* of the thread that runs */
    bool (*may_end)(void);     /* it is not the idle thread and holds no mutex */
    bool (*interrupted)(void); /* it has been asked to end */
    void (*end)(uint64_t vector)
        __attribute__((noreturn)); /* ends it; runs on its stack, emptied */
    void (*preempt)(void);         /* lets the best ready thread run */
};

void handler_attach_threads(const struct handler_threads *threads);

/* The pseudo vector for a program's thread that ends because it was asked to. */
enum { HANDLER_INTERRUPTED = 256 };

/* Functions of the programs, a higher layer. */
struct handler_programs {
    /* A system call, with interrupts on; the frame holds the program's registers. */
    void (*system_call)(struct interrupt_frame *frame);
    /* A program's write that is not allowed where something is mapped, with interrupts off: true if
     * it can be tried again. */
    bool (*write_fault)(uintptr_t address);
};

void handler_attach_programs(const struct handler_programs *programs);
/* From asm/vectors.S. */
void handler_system_call(struct interrupt_frame *frame);

/* Prints cause, registers and backtrace. If the thread can be ended safely, the frame is changed so
 * that returning ends it; otherwise this is a panic. After a breakpoint the thread continues. */
void handler_exception(struct interrupt_frame *frame);

/*
 * After an interrupt that asks for attention (cpu.h). If it came in ring 3, and the thread has been
 * asked to end, the frame is changed so that returning does that. If the thread is to be switched
 * away from, the frame is changed so that returning does that, on the thread's own stack: another
 * interrupt reuses the one that this one is on. A thread whose stack has no room for that is ended
 * as after a stack overflow, if it can be; otherwise it runs on for now.
 */
void handler_leave(struct interrupt_frame *frame);
/* From asm/vectors.S, on the thread's stack. */
void handler_preempt(void);

#endif
