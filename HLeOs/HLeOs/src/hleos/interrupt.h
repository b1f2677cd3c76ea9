/*
 * Interrupts: the IDT, one handler a vector, and the lines of the devices behind whichever
 * controller the machine has. Exceptions (vectors 0 to 31) are interrupt/handler.c's.
 */
#ifndef HLEOS_INTERRUPT_H
#define HLEOS_INTERRUPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The stack as asm/vectors.S leaves it; a handler may change it to return elsewhere. */
struct interrupt_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss; /* the CPU's part: SDM volume 3, 6.14.2 */
};

_Static_assert(sizeof(struct interrupt_frame) == 22 * 8, "asm/vectors.S pushes this");

enum {
    INTERRUPT_EXCEPTIONS = 32,
    INTERRUPT_IRQ_BASE = 0x20, /* line 0's vector; both controllers */
    INTERRUPT_IRQS = 24,
    INTERRUPT_TIMER = 0x40, /* the local APIC's own */
    INTERRUPT_TEST = 0x50,  /* raised by `int` in the tests */
    INTERRUPT_SPURIOUS = 0xff,
    INTERRUPT_VECTORS = 256,
};

typedef void interrupt_handler(void *context);

/* What a controller can do; lines are ISA's numbering, 0 to 15, and on. */
struct interrupt_controller {
    const char *name;
    void (*enable)(unsigned line);
    /* Whether a line's interrupt is none at all: then it is neither handled nor ended. */
    bool (*spurious)(unsigned vector);
    void (*end)(unsigned vector);
};

/* Loads the IDT: from here on an exception is reported. */
void interrupt_init(void);
/* Finds the controller and silences the other. Needs the heap and the device mappings. */
void interrupt_init_controller(void);

const struct interrupt_controller *interrupt_controller(void);

/* Routes a vector to a handler; a vector has one. */
void interrupt_attach(unsigned vector, const char *name, interrupt_handler *handler, void *context);
/* The same for a device's line, which is then let through. */
void interrupt_attach_line(unsigned line, const char *name, interrupt_handler *handler,
                           void *context);

/* Every interrupt and exception comes here from asm/vectors.S. */
void interrupt_dispatch(struct interrupt_frame *frame);

struct interrupt_stats {
    const char *name; /* NULL: nobody's */
    uint64_t count;
};

struct interrupt_stats interrupt_stats(unsigned vector);
uint64_t interrupt_spurious_count(void);

#endif
