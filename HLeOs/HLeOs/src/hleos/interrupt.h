/*
 * Interrupts: the IDT, one handler for each vector, and the devices' lines at the machine's
 * interrupt controller. Exceptions (vectors 0 to 31) are interrupt/handler.c's.
 */
#ifndef HLEOS_INTERRUPT_H
#define HLEOS_INTERRUPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "interrupt/controller.h"
#include "interrupt/frame.h"

typedef void interrupt_handler(void *context);

/* Loads GDT, TSS and IDT: from here on an exception is reported. Needs cpu_this(). */
void interrupt_init(void);
/* The same, and the local APIC, on a processor that was started. */
void interrupt_init_other(void);
/* Sets up the APICs if there are any, else the PICs, and masks the unused ones. Needs the heap and
 * the device mappings. */
void interrupt_init_controller(void);

const struct interrupt_controller *interrupt_controller(void);

/* Routes a vector to a handler; a vector has one. */
void interrupt_attach(unsigned vector, const char *name, interrupt_handler *handler, void *context);
/* The same for a device's line, which is then unmasked. */
void interrupt_attach_line(unsigned line, const char *name, interrupt_handler *handler,
                           void *context);

/* Every interrupt and exception comes here from asm/vectors.S. */
void interrupt_dispatch(struct interrupt_frame *frame);

struct interrupt_stats {
    const char *name; /* NULL: not in use */
    uint64_t count;
};

struct interrupt_stats interrupt_stats(unsigned vector);
uint64_t interrupt_spurious_count(void);

#endif
