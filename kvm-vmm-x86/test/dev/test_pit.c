/* Unit tests of dev/pit.c, with a fake clock: when counter 0 interrupts, and what is read. */
#include "cmocka_all.h"
#include "dev/pit.h"
#include "fake_backend.h"

#define SECOND UINT64_C(1000000000)

static struct fake fake;
static struct pit pit;
static uint64_t fake_time;

static uint64_t clock_now(void)
{
    return fake_time;
}

static int start(void **state)
{
    (void)state;
    fake_init(&fake);
    fake.backend.now = clock_now;
    fake_time = 5 * SECOND;
    pit_init(&pit, &fake.backend, (struct irq_line){.backend = &fake.backend});
    return 0;
}

static uint8_t reach(unsigned offset, bool write, uint8_t value)
{
    struct bus_access access = {.offset = offset, .data = &value, .size = 1, .write = write};

    assert_int_equal(pit_ops.access(&pit, &access), VERDICT_RESUME);
    return value;
}

static void out(unsigned offset, uint8_t value)
{
    (void)reach(offset, true, value);
}

static unsigned in_word(unsigned offset)
{
    unsigned low = reach(offset, false, 0);

    return low | (unsigned)reach(offset, false, 0) << 8;
}

static void begin(uint8_t control, unsigned count)
{
    out(3, control);
    out(control >> 6, (uint8_t)count);
    out(control >> 6, (uint8_t)(count >> 8));
}

static void test_a_rate(void **state)
{
    (void)state;
    assert_true(pit_due(&pit) == PIT_NEVER);
    begin(0x34, PIT_HZ / 100);
    assert_int_equal(fake.alarms, 1);
    assert_in_range(pit_due(&pit), fake_time + 9999000, fake_time + 10000000);
    pit_tick(&pit);
    assert_int_equal(fake.edges, 0); /* too early */
    fake_time = pit_due(&pit);
    pit_tick(&pit);
    assert_int_equal(fake.edges, 1);
    assert_true(pit_due(&pit) > fake_time);
    fake_time += SECOND; /* missed ticks are one tick, and the phase stays */
    pit_tick(&pit);
    pit_tick(&pit);
    assert_int_equal(fake.edges, 2);
    assert_in_range(pit_due(&pit), fake_time + 1, fake_time + 10000000);
}

static void test_the_longest(void **state)
{
    (void)state;
    begin(0x34, 0);
    assert_in_range(pit_due(&pit), fake_time + 54925000, fake_time + 54926000); /* 18.2 a second */
}

static void test_once(void **state)
{
    (void)state;
    begin(0x30, 1000);
    fake_time = pit_due(&pit);
    pit_tick(&pit);
    assert_int_equal(fake.edges, 1);
    assert_true(pit_due(&pit) == PIT_NEVER);
}

static void test_readings(void **state)
{
    (void)state;
    begin(0x34, 50000);
    fake_time += SECOND / 100; /* 11931 counts */
    out(3, 0x00);
    fake_time += SECOND / 100;
    assert_int_equal(in_word(0), 50000 - 11931); /* latched */
    assert_int_equal(in_word(0), 50000 - 23863);
    out(3, 0xc2); /* read back: status, then count */
    assert_int_equal(reach(0, false, 0), 0x80 | 0x34);
    assert_int_equal(in_word(0), 50000 - 23863);
    begin(0xb6, 1000); /* counter 2 counts by two */
    assert_int_equal(in_word(2), 1000);
    assert_int_equal(reach(3, false, 0), 0xff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_rate, start),
        cmocka_unit_test_setup(test_the_longest, start),
        cmocka_unit_test_setup(test_once, start),
        cmocka_unit_test_setup(test_readings, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
