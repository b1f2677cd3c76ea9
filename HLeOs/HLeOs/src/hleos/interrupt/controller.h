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

/* Lines are ISA's numbering, 0 to 15, and on. */
struct interrupt_controller {
    const char *name;
    void (*enable)(unsigned line);
    /* Whether there was no interrupt after all: then it is neither handled nor ended. NULL where
     * that is known by the vector alone. */
    bool (*spurious)(unsigned vector);
    void (*end)(unsigned vector);
};

#endif
