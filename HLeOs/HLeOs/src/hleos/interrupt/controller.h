/* The vectors, and what every interrupt controller can do. */
#ifndef HLEOS_INTERRUPT_CONTROLLER_H
#define HLEOS_INTERRUPT_CONTROLLER_H

#include <stdbool.h>

enum {
    INTERRUPT_EXCEPTIONS = 32,
    INTERRUPT_IRQ_BASE = 0x20, /* line 0's vector; both controllers */
    INTERRUPT_IRQS = 24,
    INTERRUPT_TIMER = 0x40,      /* the local APIC's own */
    INTERRUPT_RESCHEDULE = 0x41, /* from one processor to another: thread/sched.c */
    INTERRUPT_FLUSH = 0x42,      /* the same: cpu/flush.h */
    INTERRUPT_TEST = 0x50,       /* raised by `int` in the tests */
    INTERRUPT_SYSTEM_CALL = 0x80,
    INTERRUPT_SPURIOUS = 0xff,
    INTERRUPT_VECTORS = 256,
};

/* Lines: ISA's, 0 to 15, then those of the I/O APIC. */
struct interrupt_controller {
    const char *name;
    void (*enable)(unsigned line);
    /* Whether the interrupt is spurious: then it is neither handled nor ended. NULL: spurious
     * interrupts have their own vector. */
    bool (*spurious)(unsigned vector);
    void (*end)(unsigned vector);
};

#endif
