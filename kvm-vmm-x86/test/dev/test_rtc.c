/* Unit tests of dev/rtc.c, against the C library's calendar. */
#include <stdlib.h>
#include <time.h>

#include "cmocka_all.h"
#include "dev/rtc.h"
#include "fake_backend.h"

#define SECOND UINT64_C(1000000000)

static uint64_t now, within; /* seconds, and nanoseconds of the second */
static struct fake fake;

static uint64_t fixed_clock(void)
{
    return now * SECOND + within;
}

/* The clock as after power-on, at `now`. */
static void start(struct rtc *rtc)
{
    fake_init(&fake);
    fake.backend.wall = fixed_clock;
    within = 0;
    rtc_init(rtc, &fake.backend, (struct irq_line){.backend = &fake.backend, .gsi = RTC_IRQ});
}

static uint8_t access_port(struct rtc *rtc, unsigned offset, bool write, uint8_t value)
{
    struct bus_access access = {.offset = offset, .data = &value, .size = 1, .write = write};

    assert_int_equal(rtc_ops.access(rtc, &access), VERDICT_RESUME);
    return value;
}

static uint8_t get(struct rtc *rtc, uint8_t reg)
{
    access_port(rtc, 0, true, reg);
    return access_port(rtc, 1, false, 0);
}

static void set(struct rtc *rtc, uint8_t reg, uint8_t value)
{
    access_port(rtc, 0, true, reg);
    access_port(rtc, 1, true, value);
}

static int number(struct rtc *rtc, uint8_t reg)
{
    uint8_t bcd = get(rtc, reg);

    assert_true(bcd >> 4 < 10 && (bcd & 15) < 10);
    return (bcd >> 4) * 10 + (bcd & 15);
}

static void check_moment(struct rtc *rtc)
{
    time_t t = (time_t)now;
    struct tm tm;

    gmtime_r(&t, &tm);
    assert_int_equal(number(rtc, 0), tm.tm_sec);
    assert_int_equal(number(rtc, 2), tm.tm_min);
    assert_int_equal(number(rtc, 4), tm.tm_hour);
    assert_int_equal(get(rtc, 6), tm.tm_wday + 1);
    assert_int_equal(number(rtc, 7), tm.tm_mday);
    assert_int_equal(number(rtc, 8), tm.tm_mon + 1);
    assert_int_equal(number(rtc, 0x32) * 100 + number(rtc, 9), tm.tm_year + 1900);
}

static void test_dates(void **state)
{
    static const uint64_t moments[] = {0, 951782399, 951782400, 951868800, 978307199, 4107542400};
    struct rtc rtc;

    (void)state;
    start(&rtc);
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        now = moments[i];
        check_moment(&rtc);
    }
    srand(6);
    for (int i = 0; i < 2000; i++) {
        now = (uint64_t)rand() * 2 + (uint64_t)(rand() & 1);
        check_moment(&rtc);
    }
}

static void test_other_registers(void **state)
{
    struct rtc rtc;

    (void)state;
    start(&rtc);
    now = 0;
    fake.backend.wall = NULL;
    assert_int_equal(get(&rtc, 10) & 0x80, 0);
    assert_int_equal(get(&rtc, 11), 2);
    assert_int_equal(get(&rtc, 13), 0x80);
    assert_int_equal(get(&rtc, 9), 0x70);
    access_port(&rtc, 0, true, 0x80 | 0x40); /* with the NMI bit */
    access_port(&rtc, 1, true, 0xa5);
    assert_int_equal(get(&rtc, 0x40), 0xa5);
    assert_int_equal(access_port(&rtc, 0, false, 0), 0xff);
}

/* 2001-09-09 01:46:40, a Sunday. */
#define MOMENT UINT64_C(1000000000)

static void test_formats(void **state)
{
    struct rtc rtc;

    (void)state;
    now = MOMENT;
    start(&rtc);
    set(&rtc, 11, 0x06); /* binary, 24 hours */
    assert_int_equal(get(&rtc, 2), 46);
    set(&rtc, 11, 0x00); /* BCD, 12 hours */
    assert_int_equal(get(&rtc, 4), 0x01);
    now = MOMENT + 12 * 3600;
    assert_int_equal(get(&rtc, 4), 0x81);
    now = MOMENT + 11 * 3600;
    assert_int_equal(get(&rtc, 4), 0x92); /* noon is 12 PM */
    now = MOMENT + 23 * 3600;
    assert_int_equal(get(&rtc, 4), 0x12); /* midnight is 12 AM */
}

static void test_setting(void **state)
{
    struct rtc rtc;

    (void)state;
    now = MOMENT;
    start(&rtc);
    set(&rtc, 11, 0x82); /* the time does not change */
    now += 5;
    assert_int_equal(get(&rtc, 0), 0x40);
    set(&rtc, 0, 0x59);
    set(&rtc, 2, 0x59);
    set(&rtc, 4, 0x23);
    set(&rtc, 7, 0x31);
    set(&rtc, 8, 0x12);
    set(&rtc, 9, 0x30);
    set(&rtc, 0x32, 0x20);
    set(&rtc, 11, 0x02);
    assert_int_equal(number(&rtc, 9), 30);
    assert_int_equal(number(&rtc, 0), 59);
    now++; /* the host's clock adds a second */
    assert_int_equal(number(&rtc, 9), 31);
    assert_int_equal(number(&rtc, 7), 1);
    assert_int_equal(number(&rtc, 4), 0);
    set(&rtc, 4, 0x07); /* one field while the clock runs */
    assert_int_equal(number(&rtc, 4), 7);
    assert_int_equal(number(&rtc, 9), 31);
    set(&rtc, 8, 0xff); /* no such month */
    assert_int_equal(number(&rtc, 8), 12);
    set(&rtc, 0x32, 0); /* before 1970 */
    assert_int_equal(number(&rtc, 0x32), 19);
    bus_reset(&rtc_ops, &rtc);
    assert_int_equal(number(&rtc, 4), 7); /* a battery keeps it */
}

static void test_update_ended(void **state)
{
    struct rtc rtc;

    (void)state;
    now = MOMENT;
    start(&rtc);
    assert_true(rtc_due(&rtc) == RTC_NEVER);
    set(&rtc, 10, 0x20); /* no periodic flag */
    assert_int_equal(get(&rtc, 12), 0);
    now++;
    assert_int_equal(get(&rtc, 12), 0x10); /* read from the register */
    assert_int_equal(fake.alarms, 0);
    set(&rtc, 11, 0x12);
    assert_int_equal(fake.alarms, 1);
    assert_true(rtc_due(&rtc) == (now + 1) * SECOND);
    rtc_tick(&rtc);
    assert_false(fake.line[RTC_IRQ]);
    now++;
    rtc_tick(&rtc);
    assert_true(fake.line[RTC_IRQ]);
    assert_true(rtc_due(&rtc) == RTC_NEVER); /* until this one is read */
    assert_int_equal(get(&rtc, 12), 0x90);
    assert_false(fake.line[RTC_IRQ]);
    assert_true(rtc_due(&rtc) == (now + 1) * SECOND);
    set(&rtc, 11, 0x92); /* no updates while it is set */
    now += 3;
    rtc_tick(&rtc);
    assert_false(fake.line[RTC_IRQ]);
    within = SECOND - 100000;
    set(&rtc, 11, 0x02);
    assert_int_equal(get(&rtc, 10) & 0x80, 0x80); /* a new second comes */
}

static void test_periodic(void **state)
{
    struct rtc rtc;

    (void)state;
    now = MOMENT;
    start(&rtc);
    set(&rtc, 10, 0x2f); /* 2 Hz */
    set(&rtc, 11, 0x42);
    assert_true(rtc_due(&rtc) == now * SECOND + SECOND / 2);
    within = SECOND / 2 - 1;
    rtc_tick(&rtc);
    assert_false(fake.line[RTC_IRQ]);
    within = SECOND / 2;
    rtc_tick(&rtc);
    assert_true(fake.line[RTC_IRQ]);
    assert_int_equal(get(&rtc, 12), 0xc0);
    set(&rtc, 10, 0x21); /* 256 Hz, like rate 8 */
    assert_true(rtc_due(&rtc) - fixed_clock() <= SECOND / 256);
    set(&rtc, 10, 0x20); /* off */
    assert_true(rtc_due(&rtc) == RTC_NEVER);
    set(&rtc, 10, 0x26);
    within += SECOND / 1024;
    rtc_tick(&rtc);
    assert_true(fake.line[RTC_IRQ]);
    bus_reset(&rtc_ops, &rtc);
    assert_false(fake.line[RTC_IRQ]);
    assert_true(rtc_due(&rtc) == RTC_NEVER);
}

static void test_alarm(void **state)
{
    struct rtc rtc;

    (void)state;
    now = MOMENT;
    start(&rtc);
    set(&rtc, 10, 0x20);
    set(&rtc, 5, 0x01);
    set(&rtc, 3, 0x47);
    set(&rtc, 1, 0x00); /* 01:47:00, in 20 seconds */
    set(&rtc, 11, 0x22);
    for (unsigned i = 0; i < 19; i++) {
        now++;
        rtc_tick(&rtc);
        assert_false(fake.line[RTC_IRQ]);
    }
    now += 2; /* the timer was late */
    rtc_tick(&rtc);
    assert_true(fake.line[RTC_IRQ]);
    assert_int_equal(get(&rtc, 12), 0xb0);
    set(&rtc, 5, 0xff); /* each hour */
    now += 3600;
    rtc_tick(&rtc);
    assert_int_equal(get(&rtc, 12) & 0x20, 0x20);
    now -= 7200; /* the host's clock is set back: nothing has been missed */
    rtc_tick(&rtc);
    assert_int_equal(get(&rtc, 12), 0);
    now += 7200;
    rtc_tick(&rtc);
    assert_int_equal(get(&rtc, 12) & 0x20, 0x20);
    now = UINT32_MAX; /* after decades of sleep, checking one day is enough to find the alarm */
    rtc_tick(&rtc);
    assert_true(fake.line[RTC_IRQ]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates),        cmocka_unit_test(test_other_registers),
        cmocka_unit_test(test_formats),      cmocka_unit_test(test_setting),
        cmocka_unit_test(test_update_ended), cmocka_unit_test(test_periodic),
        cmocka_unit_test(test_alarm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
