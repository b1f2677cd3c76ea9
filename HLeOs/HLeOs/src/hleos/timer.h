/* Time: a clock in nanoseconds, and a tick each millisecond. The wall clock is timer/rtc.h. */
#ifndef HLEOS_TIMER_H
#define HLEOS_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#define TIMER_NS_PER_MS INT64_C(1000000)

enum { TIMER_HZ = 1000 };

/* Calibrates the clock and starts the tick. */
void timer_init(void);
/* This processor's tick, where it is the local APIC's: stops it, or starts it again. The boot
 * processor's never stops: it keeps the time. */
void timer_run_tick(bool on);
/* Has `tick` called in each tick's interrupt. */
void timer_attach(void (*tick)(uint64_t now));

/* Nanoseconds since timer_init(); never goes back. */
uint64_t timer_now(void);
uint64_t timer_ticks(void);
/* What the clock counts by, and how fast. */
const char *timer_source(void);
/* By what it was calibrated, and what makes the tick. */
const char *timer_reference(void);
const char *timer_tick_source(void);
uint64_t timer_source_hz(void);
/* How much of it the calibration took. */
uint64_t timer_calibration_tsc(void);

/* Waits without giving the processor away: for devices. */
void timer_spin_us(uint64_t us);

#endif
