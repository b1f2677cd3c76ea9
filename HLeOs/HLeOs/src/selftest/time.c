/* Tests of clock, tick and sleep. Upper limits hold only where virtual time is exact: `time=exact`
 * on the command line says so (QEMU's -icount). */
#include <stddef.h>
#include <stdint.h>

#include "asm.h"
#include "common/string.h"
#include "cpu/boot.h"
#include "iostream.h"
#include "selftest/selftest.h"
#include "thread.h"
#include "timer.h"
#include "timer/reference.h"
#include "timer/rtc.h"

static void clock_never_goes_back(void)
{
    uint64_t last = timer_now();

    for (int i = 0; i < 20000; i++) {
        uint64_t now = timer_now();

        if (now < last)
            expect(!"the clock went back");
        last = now;
    }
}

static void ticks_arrive(void)
{
    uint64_t ticks = timer_ticks(), end = timer_now() + 60000 * TIMER_NS_PER_MS;

    while (timer_ticks() < ticks + 5 && timer_now() < end)
        x86_pause();
    expect(timer_ticks() >= ticks + 5);
}

static void sleep_is_never_short(void)
{
    const char *option = boot_option("time");
    uint64_t latest = 0;

    for (uint64_t ms = 1; ms <= 20; ms++) {
        uint64_t start = timer_now(), slept;

        thread_sleep_ms(ms);
        slept = timer_now() - start;
        if (!expect(slept >= ms * TIMER_NS_PER_MS))
            return;
        if (slept - ms * TIMER_NS_PER_MS > latest)
            latest = slept - ms * TIMER_NS_PER_MS;
    }
    println("  sleep: at most %lu us late", latest / 1000);
    if (option != NULL)
        expect(latest < 1100000); /* a millisecond, and the time to return */
}

static void the_clock_keeps_time(void)
{
    struct reference_sample sample;
    uint64_t clock, off;

    if (strcmp(timer_tick_source(), "PIT") == 0) {
        selftest_leave_out("the reference makes the ticks");
        return;
    }
    reference_start();
    sample = reference_measure(30 * TIMER_NS_PER_MS);
    clock = asm_scale(sample.tsc, 1000000000, timer_source_hz());
    off = clock > sample.ns ? clock - sample.ns : sample.ns - clock;
    println("  clock: off by %lu ppm, known to %lu", off * 1000000 / sample.ns,
            sample.error * 1000000 / sample.tsc);
    expect(off * 1000 < 5 * sample.ns); /* 0.5 %, as the host may be busy */
}

static void wall_clock_makes_sense(void)
{
    struct rtc_date date;

    if (!expect(rtc_date(&date) == 0))
        return;
    println("  date: %04u-%02u-%02u %02u:%02u:%02u", date.year, date.month, date.day, date.hour,
            date.minute, date.second);
    expect(date.year >= 1990 && date.year < 2200);
}

const struct selftest selftest_time[] = {
    {"clock_never_goes_back", clock_never_goes_back},
    {"ticks_arrive", ticks_arrive},
    {"sleep_is_never_short", sleep_is_never_short},
    {"the_clock_keeps_time", the_clock_keeps_time},
    {"wall_clock_makes_sense", wall_clock_makes_sense},
    {0},
};
