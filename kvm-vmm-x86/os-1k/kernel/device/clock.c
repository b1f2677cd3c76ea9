/* The 8254 programmable interval timer, counter 0, as a rate generator (Intel 8254 data sheet). It
 * ticks as slowly as it can, 18 times a second, so that an idle machine leaves its host alone. */
#include "common/x86.h"
#include "kernel/device/device.h"
#include "kernel/process/process.h"

enum {
    COUNTER_0 = 0x40,
    CONTROL = 0x43,
    RATE_GENERATOR = 0x34, /* counter 0, low byte then high byte, mode 2 */
    PERIOD = 0x10000,      /* counts; the register takes it as 0 */
    COUNTS_PER_MS = 1193,  /* at 1.193182 MHz */
};

static uint32_t milliseconds, counts;

void clock_init(void)
{
    x86_out8(CONTROL, RATE_GENERATOR);
    x86_out8(COUNTER_0, PERIOD & 0xff);
    x86_out8(COUNTER_0, PERIOD >> 8 & 0xff);
}

void clock_interrupt(void)
{
    counts += PERIOD;
    milliseconds += counts / COUNTS_PER_MS;
    counts %= COUNTS_PER_MS;
    console_flush();
    process_tick();
}

uint32_t clock_now(void)
{
    return milliseconds;
}
