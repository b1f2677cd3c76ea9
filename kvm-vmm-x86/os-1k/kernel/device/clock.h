/* Time: the 8254 timer's interrupts drive preemption, sleep and the uptime. */
#ifndef KERNEL_DEVICE_CLOCK_H
#define KERNEL_DEVICE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

void clock_init(void);
void clock_interrupt(void);

/* Milliseconds since clock_init. */
uint32_t clock_now(void);

/* With nothing to do and nobody to wake, the clock ticks as slowly as it can, so that an idle
 * machine leaves its host alone. */
void clock_relax(bool relaxed);

#endif
