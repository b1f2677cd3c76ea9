/* Unit tests of dev/rtc.c, against the C library's calendar. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "dev/rtc.h"

static uint64_t now;

static uint64_t fixed_clock(void)
{
    return now;
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
    rtc_init(&rtc, fixed_clock);
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
    rtc_init(&rtc, NULL);
    assert_int_equal(get(&rtc, 10) & 0x80, 0);
    assert_int_equal(get(&rtc, 11), 2);
    assert_int_equal(get(&rtc, 13), 0x80);
    assert_int_equal(get(&rtc, 9), 0x70);
    access_port(&rtc, 0, true, 0x80 | 0x40); /* with the NMI bit */
    access_port(&rtc, 1, true, 0xa5);
    assert_int_equal(get(&rtc, 0x40), 0xa5);
    assert_int_equal(access_port(&rtc, 0, false, 0), 0xff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_dates),
                                       cmocka_unit_test(test_other_registers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
