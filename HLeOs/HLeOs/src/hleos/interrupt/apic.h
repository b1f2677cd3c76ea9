/* The local APIC and the I/O APICs. */
#ifndef HLEOS_INTERRUPT_APIC_H
#define HLEOS_INTERRUPT_APIC_H

#include <stdint.h>

struct interrupt_controller;

/* Sets them up as ACPI's MADT describes them; NULL if there are none. */
const struct interrupt_controller *apic_init(void);

/* The APIC IDs of the usable processors, this one included: at most `room` of them; more are left
 * out. */
unsigned apic_processors(uint32_t *ids, unsigned room);
/* This processor's local APIC, on one that was started. */
void apic_init_other(void);
/* This processor's APIC ID. */
uint32_t apic_id(void);
/* Interrupts another processor at that vector. */
void apic_send(uint32_t id, unsigned vector);
/* Start a processor by INIT and startup IPIs: SDM volume 3, 8.4.4. It begins in real mode at the
 * page's address, which is below 1 MB. */
void apic_send_init(uint32_t id);
void apic_send_startup(uint32_t id, uint64_t page);

/* Starts the local timer once from `count`, without an interrupt; and reads it. For calibration. */
void apic_timer_count(uint32_t count);
uint32_t apic_timer_left(void);
/* Raises INTERRUPT_TIMER every `count` ticks of the timer; 0 stops it. */
void apic_timer_periodic(uint32_t count);

#endif
