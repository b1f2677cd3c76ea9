/* The timers whose rate is known beforehand, PIT and HPET, against which the others are measured.
 */
#ifndef HLEOS_TIMER_REFERENCE_H
#define HLEOS_TIMER_REFERENCE_H

#include <stdint.h>

/* Starts the HPET where ACPI names one, else the PIT, which can then make no tick; its name. */
const char *reference_start(void);

/* A stretch of time by both clocks, and how many TSC ticks it may be wrong by. */
struct reference_sample {
    uint64_t tsc, ns, error;
};

/* Measures for that long, at most 40 ms; again, a few times, if something else ran on the host in
 * between, and returns the best. A timer that stands still is a panic. */
struct reference_sample reference_measure(uint64_t span_ns);

/* Line 0 raised `hz` times a second. */
void reference_pit_periodic(unsigned hz);

#endif
