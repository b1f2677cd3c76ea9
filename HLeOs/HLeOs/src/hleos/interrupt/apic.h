/* The local APIC and the I/O APICs. */
#ifndef HLEOS_INTERRUPT_APIC_H
#define HLEOS_INTERRUPT_APIC_H

#include <stdint.h>

struct interrupt_controller;

/* Sets them up as ACPI's MADT describes them; NULL if there are none. */
const struct interrupt_controller *apic_init(void);

/* The processors that may run, by their APICs' numbers, this one too: at most `room` of them. More
 * are left out. */
unsigned apic_processors(uint32_t *ids, unsigned room);
/* This processor's local APIC, on one that was started. */
void apic_init_other(void);
/* This processor's number. */
uint32_t apic_id(void);
/* Interrupts another processor at that vector. */
void apic_send(uint32_t id, unsigned vector);
/* How a processor is started: SDM volume 3, 8.4.4. It begins in real mode at the page's address,
 * which is below 1 MB. */
void apic_send_init(uint32_t id);
void apic_send_startup(uint32_t id, uint64_t page);

/* Lets the local timer count down once from `count`, silently; how far it is. For calibration. */
void apic_timer_count(uint32_t count);
uint32_t apic_timer_left(void);
/* Interrupts at INTERRUPT_TIMER each `count` ticks; with 0 it stands still. */
void apic_timer_periodic(uint32_t count);

#endif
