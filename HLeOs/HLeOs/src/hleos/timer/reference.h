/* The two timers whose rate is known beforehand: PIT and HPET. */
#ifndef HLEOS_TIMER_REFERENCE_H
#define HLEOS_TIMER_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

/* Finds the HPET by ACPI and starts its counter; false if there is none. */
bool reference_hpet_init(void);

/* Both wait at least `us` microseconds, at most 50,000, and return how many passed indeed. A timer
 * that stands still is a panic. */
uint64_t reference_hpet_wait(uint64_t us);
uint64_t reference_pit_wait(uint64_t us);

/* Line 0 raised `hz` times a second. */
void reference_pit_periodic(unsigned hz);

#endif
