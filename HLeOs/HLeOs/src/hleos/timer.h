/* Time: a clock in nanoseconds, and a tick each millisecond. The wall clock is timer/rtc.h. */
#ifndef HLEOS_TIMER_H
#define HLEOS_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#define TIMER_NS_PER_MS INT64_C(1000000)

enum { TIMER_HZ = 1000 };

/* Calibrates the clock and starts the tick. */
void timer_init(void);
/* Stops or starts this processor's tick, if it comes from the local APIC. The boot processor's tick
 * never stops, as it keeps the time. */
void timer_run_tick(bool on);
/* Calls `tick` in each tick's interrupt from now on. */
void timer_attach(void (*tick)(uint64_t now));

/* Nanoseconds since timer_init(); never goes back. */
uint64_t timer_now(void);
uint64_t timer_ticks(void);
/* What the clock counts, and its rate. */
const char *timer_source(void);
/* The timer with which it was calibrated, and the source of the tick. */
const char *timer_reference(void);
const char *timer_tick_source(void);
uint64_t timer_source_hz(void);
/* How many TSC ticks the calibration took. */
uint64_t timer_calibration_tsc(void);

/* Waits in a loop, without yielding the processor: for devices. */
void timer_spin_us(uint64_t us);

#endif
