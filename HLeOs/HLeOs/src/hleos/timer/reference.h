/* The timers whose rate is known beforehand, PIT and HPET, against which the others are measured.
 */
#ifndef HLEOS_TIMER_REFERENCE_H
#define HLEOS_TIMER_REFERENCE_H

#include <stdint.h>

/* Starts the HPET if ACPI names one, else the PIT, which cannot make the tick at the same time;
 * returns its name. */
const char *reference_start(void);

/* An interval measured by both clocks, and its uncertainty in TSC ticks. */
struct reference_sample {
    uint64_t tsc, ns, error;
};

/* Measures for that long, at most 40 ms; repeats it a few times if the host interrupted it, and
 * returns the best result. Panics if the timer does not count. */
struct reference_sample reference_measure(uint64_t span_ns);

/* Makes the PIT raise line 0 `hz` times a second. */
void reference_pit_periodic(unsigned hz);

#endif
