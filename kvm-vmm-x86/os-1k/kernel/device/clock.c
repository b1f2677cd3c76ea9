/* The 8254 programmable interval timer, counter 0, as a rate generator (Intel 8254 data sheet). */
#include "kernel/device/clock.h"

#include "kernel/cpu/x86.h"
#include "kernel/device/console.h"
#include "kernel/process/process.h"

enum {
    COUNTER_0 = 0x40,
    CONTROL = 0x43,
    RATE_GENERATOR = 0x34, /* counter 0, low byte then high byte, mode 2 */
    LATCH = 0x00,
    COUNTS_PER_MS = 1193,    /* at 1.193182 MHz */
    PERIOD_BUSY = 11932,     /* 10 ms */
    PERIOD_RELAXED = 0x10000 /* 55 ms; the register takes it as 0 */
};

static uint32_t period, milliseconds, remainder;

static void advance(uint32_t counts)
{
    remainder += counts;
    milliseconds += remainder / COUNTS_PER_MS;
    remainder %= COUNTS_PER_MS;
}

/* How much of the current period is over. */
static uint32_t elapsed(void)
{
    uint32_t left;

    x86_out8(CONTROL, LATCH);
    left = x86_in8(COUNTER_0);
    left |= (uint32_t)x86_in8(COUNTER_0) << 8;
    return left > 0 && left <= period ? period - left : 0;
}

static void set_period(uint32_t counts)
{
    period = counts;
    x86_out8(CONTROL, RATE_GENERATOR);
    x86_out8(COUNTER_0, (uint8_t)counts);
    x86_out8(COUNTER_0, (uint8_t)(counts >> 8));
}

void clock_init(void)
{
    set_period(PERIOD_BUSY);
}

void clock_interrupt(void)
{
    advance(period);
    console_flush();
    process_tick();
}

uint32_t clock_now(void)
{
    return milliseconds;
}

void clock_relax(bool relaxed)
{
    uint32_t wanted = relaxed ? PERIOD_RELAXED : PERIOD_BUSY;

    if (wanted == period)
        return;
    advance(elapsed());
    set_period(wanted);
}
