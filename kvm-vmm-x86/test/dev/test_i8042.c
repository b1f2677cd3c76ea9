/* Unit tests of dev/i8042.c: a driver's start, keys with and without translation, and the resets.
 */
#include "cmocka_all.h"
#include "dev/i8042.h"
#include "fake_backend.h"

enum { OUTPUT = 1, COMMAND_LAST = 8, IRQ_ON = 0x41, A_DOWN = 0x1e, A_UP = 0x9e };

static struct fake fake;
static struct i8042 controller;

static int set_up(void **state)
{
    (void)state;
    fake_init(&fake);
    i8042_init(&controller, &fake.backend,
               (struct irq_line){.backend = &fake.backend, .gsi = I8042_IRQ});
    return 0;
}

static enum verdict write_port(const struct bus_ops *ops, uint8_t value)
{
    struct bus_access access = {.data = &value, .size = 1, .write = true};

    return ops->access(&controller, &access);
}

static uint8_t read_port(const struct bus_ops *ops)
{
    uint8_t value = 0;
    struct bus_access access = {.data = &value, .size = 1};

    assert_int_equal(ops->access(&controller, &access), VERDICT_RESUME);
    return value;
}

static void command(uint8_t value)
{
    assert_int_equal(write_port(&i8042_command_ops, value), VERDICT_RESUME);
}

static void data(uint8_t value)
{
    assert_int_equal(write_port(&i8042_data_ops, value), VERDICT_RESUME);
}

static uint8_t status(void)
{
    return read_port(&i8042_command_ops);
}

static void expect(uint8_t byte)
{
    assert_true(status() & OUTPUT);
    assert_int_equal(read_port(&i8042_data_ops), byte);
}

static void expect_nothing(void)
{
    assert_false(status() & OUTPUT);
}

static void test_controller(void **state)
{
    (void)state;
    expect_nothing();
    command(0xaa);
    assert_true(status() & COMMAND_LAST);
    expect(0x55);
    command(0xab);
    expect(0x00);
    command(0x60);
    data(0xff);
    assert_false(status() & COMMAND_LAST);
    command(0x20);
    expect(0x75); /* the mouse is off for good, and has no interrupt */
    command(0x7f);
    data(0x5a);
    command(0x3f);
    expect(0x5a);
    command(0xd0);
    assert_true(read_port(&i8042_data_ops) & 3); /* the CPU runs and A20 is open */
    command(0xd2);
    data(0x77);
    expect(0x77);
    command(0xd4); /* to the mouse: no answer */
    data(0xff);
    command(0xa9);
    expect_nothing();
}

static void test_keyboard(void **state)
{
    static const uint8_t orders[][4] = {{0xee, 0xee},       {0xf2, 0xfa, 0xab, 0x41},
                                        {0xff, 0xfa, 0xaa}, {0xf4, 0xfa},
                                        {0xf6, 0xfa},       {0x01, 0xfe},
                                        {0xed, 0xfa},       {0x07, 0xfa},
                                        {0xf0, 0xfa},       {0x00, 0xfa, 0x41},
                                        {0xf0, 0xfa},       {0x03, 0xfe},
                                        {0xed, 0xfa},       {0xf4, 0xfa},
                                        {0x07, 0xfe}};

    (void)state;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        data(orders[i][0]);
        for (size_t n = 1; n < 4 && orders[i][n] != 0; n++)
            expect(orders[i][n]);
        expect_nothing();
    }
    data(0xfe);
    expect(0xfe); /* the last byte, once more */
}

static void test_keys_and_interrupts(void **state)
{
    static const uint8_t a[] = {A_DOWN, A_UP};

    (void)state;
    assert_true(i8042_press(&controller, a, 2));
    assert_false(fake.line[I8042_IRQ]); /* not enabled */
    command(0x60);
    data(IRQ_ON);
    assert_true(fake.line[I8042_IRQ]);
    expect(A_DOWN);
    assert_int_equal(fake.edges, 2); /* an edge for each byte */
    expect(A_UP);
    assert_false(fake.line[I8042_IRQ]);
    command(0xad);
    assert_true(i8042_press(&controller, a, 2));
    expect_nothing(); /* its clock is off; the keys wait */
    command(0x20);
    expect(0x31 | 0x40);
    command(0xae);
    expect(A_DOWN);
    expect(A_UP);
    data(0xf5);
    expect(0xfa);
    assert_false(i8042_press(&controller, a, 2));
    expect_nothing();
}

static void test_without_translation(void **state)
{
    static const uint8_t up_arrow[] = {0xe0, 0x48, 0xe0, 0xc8};
    static const uint8_t sent[] = {0xe0, 0x75, 0xe0, 0xf0, 0x75};

    (void)state;
    command(0x60);
    data(0);
    assert_true(i8042_press(&controller, up_arrow, sizeof up_arrow));
    for (size_t i = 0; i < sizeof sent; i++)
        expect(sent[i]);
    data(0xf2);
    expect(0xfa);
    expect(0xab);
    expect(0x83);
}

/* Keys without room are refused as a whole; a guest that never reads changes nothing. */
static void test_full(void **state)
{
    static const uint8_t a[] = {A_DOWN, A_UP};
    unsigned pressed = 0;

    (void)state;
    while (pressed < 2 * I8042_QUEUE_SIZE && i8042_press(&controller, a, 2))
        pressed++;
    assert_in_range(pressed, 100, I8042_QUEUE_SIZE / 2);
    for (unsigned i = 0; i < 2 * I8042_QUEUE_SIZE; i++)
        command(0x20);
    for (unsigned i = 0; i < pressed && status() & OUTPUT; i++)
        (void)read_port(&i8042_data_ops);
    assert_int_equal(fake.end, END_NONE);
}

static void test_resets(void **state)
{
    static const uint8_t none[] = {0xff, 0xf1};

    for (size_t i = 0; i < sizeof none; i++)
        command(none[i]);
    assert_int_equal(fake.end, END_NONE);
    assert_int_equal(write_port(&i8042_command_ops, 0xfe), VERDICT_STOP);
    assert_int_equal(fake.end, END_RESET);
    set_up(state);
    command(0xd1);
    data(0x03);
    assert_int_equal(fake.end, END_NONE);
    command(0xd1);
    assert_int_equal(write_port(&i8042_data_ops, 0x02), VERDICT_STOP);
    assert_int_equal(fake.end, END_RESET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_controller, set_up),
                                       cmocka_unit_test_setup(test_keyboard, set_up),
                                       cmocka_unit_test_setup(test_keys_and_interrupts, set_up),
                                       cmocka_unit_test_setup(test_without_translation, set_up),
                                       cmocka_unit_test_setup(test_full, set_up),
                                       cmocka_unit_test_setup(test_resets, set_up)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
