/* The local APIC and the I/O APICs. */
#ifndef HLEOS_INTERRUPT_APIC_H
#define HLEOS_INTERRUPT_APIC_H

#include <stdint.h>

struct interrupt_controller;

/* Sets them up as ACPI's MADT describes them; NULL if there are none. */
const struct interrupt_controller *apic_init(void);

/* Lets the local timer count down once from `count`, silently; how far it is. For calibration. */
void apic_timer_count(uint32_t count);
uint32_t apic_timer_left(void);
/* Interrupts at INTERRUPT_TIMER each `count` ticks. */
void apic_timer_periodic(uint32_t count);

#endif
