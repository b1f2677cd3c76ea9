/* Exceptions: reported in words, blamed on the thread that caused them where that is safe. */
#ifndef HLEOS_INTERRUPT_HANDLER_H
#define HLEOS_INTERRUPT_HANDLER_H

#include <stdbool.h>
#include <stdint.h>

#include "interrupt/frame.h"

/* What threads do for interrupts. They stand above this layer, and attach themselves. */
struct handler_threads {
    const char *(*name)(void); /* of the thread that runs */
    bool (*may_end)(void);     /* it is not the idle thread and holds no mutex */
    bool (*interrupted)(void); /* it has been asked to end */
    void (*end)(uint64_t vector)
        __attribute__((noreturn)); /* ends it; runs on its stack, emptied */
    void (*preempt)(void);         /* lets the best ready thread run */
};

void handler_attach_threads(const struct handler_threads *threads);

/* The vector that a program's thread ends by when it has been asked to. */
enum { HANDLER_INTERRUPTED = 256 };

/* What programs do for interrupts. */
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
 * that returning ends it; otherwise this is a panic. A breakpoint is reported and goes on. */
void handler_exception(struct interrupt_frame *frame);

/*
 * After an interrupt that asks for attention (cpu.h). If it came in ring 3, and the thread has been
 * asked to end, the frame is changed so that returning does that. If the thread is to be switched
 * away from, the frame is changed so that returning does that, on the thread's own stack: another
 * interrupt reuses the one that this one is on. A thread whose stack has no room for it is ended as
 * by a stack overflow where it can be; where it cannot, it goes on for now.
 */
void handler_leave(struct interrupt_frame *frame);
/* From asm/vectors.S, on the thread's stack. */
void handler_preempt(void);

#endif
