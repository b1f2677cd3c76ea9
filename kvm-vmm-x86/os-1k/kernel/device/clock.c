/* The clock ticks as slowly as the timer can, 18 times a second, so that an idle machine leaves its
 * host alone. */
#include "common/pc/pit.h"
#include "kernel/device/device.h"

enum { COUNTS_PER_MS = PC_PIT_HZ / 1000 };

static uint32_t milliseconds, counts;

void clock_init(void)
{
    pc_pit_start(PC_PIT_LONGEST);
}

void clock_tick(void)
{
    counts += PC_PIT_LONGEST;
    milliseconds += counts / COUNTS_PER_MS;
    counts %= COUNTS_PER_MS;
}

uint32_t clock_now(void)
{
    return milliseconds;
}
