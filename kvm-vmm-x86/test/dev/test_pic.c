/* Unit tests of dev/pic.c: initialization, priorities, the cascade, ends of interrupts. */
#include "cmocka_all.h"
#include "dev/pic.h"

static struct pic pic;

static uint8_t reach(const struct bus_ops *ops, unsigned offset, bool write, uint8_t value)
{
    struct bus_access access = {.offset = offset, .data = &value, .size = 1, .write = write};

    assert_int_equal(ops->access(&pic, &access), VERDICT_RESUME);
    return value;
}

static void out(const struct bus_ops *ops, unsigned offset, uint8_t value)
{
    (void)reach(ops, offset, true, value);
}

static void initialize(const struct bus_ops *ops, uint8_t vector, uint8_t cascade, uint8_t icw4)
{
    out(ops, 0, 0x11);
    out(ops, 1, vector);
    out(ops, 1, cascade);
    out(ops, 1, icw4);
}

static int start(void **state)
{
    (void)state;
    pic_init(&pic);
    initialize(&pic_first_ops, 0x20, 4, 1);
    initialize(&pic_second_ops, 0x28, 2, 1);
    return 0;
}

static void pulse(unsigned line)
{
    pic_set_line(&pic, line, true);
    pic_set_line(&pic, line, false);
}

static void test_nothing_before_it_is_initialized(void **state)
{
    (void)state;
    pic_init(&pic);
    pulse(0);
    assert_false(pic_has_interrupt(&pic) || pic_is_open(&pic));
    initialize(&pic_first_ops, 0x20, 4, 1);
    assert_false(pic_has_interrupt(&pic)); /* ICW1 clears edges */
    assert_true(pic_is_open(&pic));
    out(&pic_first_ops, 1, 0xff);
    assert_false(pic_is_open(&pic));
}

static void test_priorities(void **state)
{
    (void)state;
    pulse(4);
    pulse(0);
    assert_int_equal(pic_acknowledge(&pic), 0x20);
    assert_false(pic_has_interrupt(&pic)); /* line 0 is in service */
    out(&pic_first_ops, 0, 0x20);
    assert_int_equal(pic_acknowledge(&pic), 0x24);
    pulse(0); /* of higher priority than the one in service */
    assert_int_equal(pic_acknowledge(&pic), 0x20);
    out(&pic_first_ops, 0, 0x64); /* the specific EOI of line 4 */
    out(&pic_first_ops, 0, 0x0b);
    assert_int_equal(reach(&pic_first_ops, 0, false, 0), 1 << 0);
}

static void test_an_edge_counts_once(void **state)
{
    (void)state;
    pic_set_line(&pic, 4, true);
    pic_set_line(&pic, 4, true);
    assert_int_equal(pic_acknowledge(&pic), 0x24);
    out(&pic_first_ops, 0, 0x20);
    assert_false(pic_has_interrupt(&pic)); /* it is still high */
    pic_set_line(&pic, 4, false);
    out(&pic_first_ops, 1, 0x10);
    pulse(4);
    assert_false(pic_has_interrupt(&pic));
    assert_int_equal(reach(&pic_first_ops, 0, false, 0), 1 << 4); /* masked, and kept */
    out(&pic_first_ops, 1, 0);
    assert_true(pic_has_interrupt(&pic));
}

static void test_the_second_chip(void **state)
{
    (void)state;
    pulse(8);
    pulse(3);
    assert_int_equal(pic_acknowledge(&pic), 0x28); /* line 2 comes before line 3 */
    out(&pic_second_ops, 0, 0x20);
    out(&pic_first_ops, 0, 0x20);
    assert_int_equal(pic_acknowledge(&pic), 0x23);
}

static void test_automatic_end(void **state)
{
    (void)state;
    initialize(&pic_first_ops, 0x20, 4, 3);
    pulse(0);
    assert_int_equal(pic_acknowledge(&pic), 0x20);
    pulse(0);
    assert_true(pic_has_interrupt(&pic));
    assert_int_equal(pic_acknowledge(&pic), 0x20);
    assert_int_equal(pic_acknowledge(&pic), 0x27); /* there was none */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nothing_before_it_is_initialized, start),
        cmocka_unit_test_setup(test_priorities, start),
        cmocka_unit_test_setup(test_an_edge_counts_once, start),
        cmocka_unit_test_setup(test_the_second_chip, start),
        cmocka_unit_test_setup(test_automatic_end, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
