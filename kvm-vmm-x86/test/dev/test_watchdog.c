/* Unit tests of dev/watchdog.c and dev/pvpanic.c. */
#include "cmocka_all.h"
#include "dev/pvpanic.h"
#include "dev/watchdog.h"
#include "fake_backend.h"

#define SECOND UINT64_C(1000000000)

static struct fake f;
static struct watchdog w;
static uint64_t clock_now;

static uint64_t now(void)
{
    return clock_now;
}

static void begin(enum watchdog_action action)
{
    fake_init(&f);
    f.backend.now = now;
    clock_now = 1000 * SECOND;
    watchdog_init(&w, &f.backend, action);
}

static uint32_t reach(uint64_t offset, uint8_t size, bool write, uint32_t value)
{
    struct bus_access access = {
        .offset = offset, .size = size, .write = write, .data = (uint8_t *)&value};

    assert_int_equal(watchdog_ops.access(&w, &access), VERDICT_RESUME);
    return size == 4 ? value : value & ((1u << 8 * size) - 1);
}

static void put(uint64_t offset, uint32_t value)
{
    (void)reach(offset, 4, true, value);
}

static uint32_t get(uint64_t offset)
{
    return reach(offset, 4, false, UINT32_MAX);
}

static void expires(void **state)
{
    static const struct {
        enum watchdog_action action;
        enum end_kind end;
        unsigned said;
    } cases[] = {
        {WATCHDOG_RESET, END_RESET, 1}, {WATCHDOG_OFF, END_EXIT, 1}, {WATCHDOG_STOP, END_CRASH, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(cases[i].action);
        assert_true(watchdog_due(&w) == WATCHDOG_NEVER);
        put(WATCHDOG_PERIOD, 20);
        put(WATCHDOG_RUNNING, 1);
        assert_int_equal(f.alarms, 2);
        assert_int_equal(watchdog_due(&w), 2 * SECOND);
        clock_now += SECOND;
        assert_int_equal(get(WATCHDOG_COUNT), 10);
        put(WATCHDOG_FEED, 1);
        clock_now += 2 * SECOND - 1;
        watchdog_look(&w);
        assert_int_equal(f.end, END_NONE);
        clock_now += 1;
        watchdog_look(&w);
        assert_int_equal(f.end, cases[i].end);
        assert_int_equal(f.said, cases[i].said);
        assert_true(watchdog_due(&w) == WATCHDOG_NEVER); /* once */
    }
}

static void stopped(void **state)
{
    (void)state;
    begin(WATCHDOG_STOP);
    put(WATCHDOG_RUNNING, 1);
    assert_int_equal(get(WATCHDOG_RUNNING), 1);
    put(WATCHDOG_RUNNING, 0);
    clock_now += 1000 * SECOND;
    watchdog_look(&w);
    assert_int_equal(f.end, END_NONE);
    assert_int_equal(get(WATCHDOG_RUNNING), 0);
}

/* The time during a pause does not count; nor the time between a save and a restore. */
static void paused(void **state)
{
    struct watchdog_state saved;

    (void)state;
    begin(WATCHDOG_STOP);
    put(WATCHDOG_PERIOD, 100);
    put(WATCHDOG_RUNNING, 1);
    clock_now += 4 * SECOND;
    for (int i = 0; i < 2; i++) { /* asked again, the answer is the same */
        assert_true(watchdog_ops.quiesce(&w));
        clock_now += 1000 * SECOND;
        watchdog_look(&w);
        assert_true(watchdog_due(&w) == WATCHDOG_NEVER);
    }
    saved = w.state;
    watchdog_ops.resume(&w);
    assert_int_equal(watchdog_due(&w), 6 * SECOND);
    bus_reset(&watchdog_ops, &w);
    assert_int_equal(get(WATCHDOG_RUNNING), 0);
    w.state = saved;
    watchdog_ops.state->told(&w);
    assert_int_equal(watchdog_due(&w), 6 * SECOND);
    assert_true(watchdog_ops.state->is_sound(&saved));
    saved.left = 11 * SECOND;
    assert_false(watchdog_ops.state->is_sound(&saved));
    saved.period = 0;
    assert_false(watchdog_ops.state->is_sound(&saved));
}

static void odd_accesses(void **state)
{
    (void)state;
    begin(WATCHDOG_STOP);
    put(WATCHDOG_PERIOD, 0);
    assert_int_equal(get(WATCHDOG_PERIOD), WATCHDOG_TICKS_MIN);
    put(WATCHDOG_PERIOD, UINT32_MAX);
    assert_int_equal(get(WATCHDOG_PERIOD), WATCHDOG_TICKS_MAX);
    for (uint64_t at = 0; at < WATCHDOG_PORTS; at++)
        for (uint8_t size = 1; size <= 2; size++) {
            (void)reach(at, size, true, 1);
            assert_int_equal(reach(at, size, false, UINT32_MAX), 0);
        }
    assert_int_equal(get(WATCHDOG_RUNNING), 0);
    f.backend.now = NULL;
    put(WATCHDOG_RUNNING, 1);
    watchdog_look(&w);
    assert_int_equal(f.end, END_NONE);
}

static void panics(void **state)
{
    uint8_t event = 0;
    struct bus_access access = {.size = 1, .data = &event};
    struct pvpanic p;

    (void)state;
    fake_init(&f);
    pvpanic_init(&p, &f.backend);
    assert_int_equal(pvpanic_ops.access(&p, &access), VERDICT_RESUME);
    assert_int_equal(event, 3);
    access.write = true;
    event = 0xfc;
    assert_int_equal(pvpanic_ops.access(&p, &access), VERDICT_RESUME);
    assert_int_equal(f.end, END_NONE);
    event = 2; /* a crash kernel comes */
    assert_int_equal(pvpanic_ops.access(&p, &access), VERDICT_RESUME);
    assert_true(f.end == END_NONE && f.said == 1);
    event = 1;
    assert_int_equal(pvpanic_ops.access(&p, &access), VERDICT_STOP);
    assert_int_equal(f.end, END_CRASH);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(expires),      cmocka_unit_test(stopped), cmocka_unit_test(paused),
        cmocka_unit_test(odd_accesses), cmocka_unit_test(panics),
    };

    return cmocka_run_group_tests_name("watchdog", tests, NULL, NULL);
}
