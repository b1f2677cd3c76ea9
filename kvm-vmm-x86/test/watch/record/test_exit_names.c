/* Unit tests of exit_names.c and of the register names of dev/bus.c: names of exits. */
#include <string.h>

#include "cmocka_all.h"
#include "fake_backend.h"
#include "vm/machine.h"
#include "watch/record/exit_names.h"

struct fixture {
    struct fake fake;
    struct guest_config config;
    struct machine machine;
};

static int set_up(void **state)
{
    static struct fixture f;
    struct error error;

    memset(&f, 0, sizeof f);
    fake_init(&f.fake);
    *state = &f;
    return machine_init(&f.machine, &f.config, &f.fake.backend, &f.fake.backend, 40, &error);
}

static struct exit_record port(uint16_t address, bool write, uint64_t value)
{
    return (struct exit_record){.space = EXIT_PORT,
                                .address = address,
                                .write = write,
                                .value = value,
                                .size = 1,
                                .count = 1};
}

static void assert_name(struct fixture *f, struct exit_record record, const char *expected)
{
    char text[64];

    log_exit_name(&f->machine.bus, &record, "halt", text, sizeof text);
    assert_string_equal(text, expected);
}

static void test_names(void **state)
{
    struct fixture *f = *state;

    assert_name(f, port(0x3f8, true, 'A'), "uart.THR");
    assert_name(f, port(0x3f8, false, 'A'), "uart.RBR");
    assert_name(f, port(0x3fd, false, 0x60), "uart.LSR");
    assert_name(f, port(0x500, true, 1), "hypercall.PUTCHAR");
    assert_name(f, port(0x500, true, 0x10), "hypercall.WRITE");
    assert_name(f, port(0x500, true, 0x77), "hypercall"); /* no such call, no name */
    assert_name(f, port(0x500, false, 1), "hypercall.last byte");
    assert_name(f, port(0x60, false, 0), "keyboard data.output");
    assert_name(f, port(0x64, true, 0xfe), "keyboard control.command");
    assert_name(f, port(0x71, false, 0), "rtc.data");
    assert_name(f, port(0xf4, true, 0), "debug-exit.status");
    assert_name(f, port(0x604, true, 0), "acpi-pm.PM1_CNT");
    assert_name(f, port(0x3d5, true, 0), "crtc.data");
    assert_name(f, port(0x81, true, 0), "port 0x81");
    assert_name(f, (struct exit_record){.space = EXIT_MEMORY, .address = 0xfee00000},
                "memory 0xfee00000");
    assert_name(f, (struct exit_record){0}, "halt");
}

static void assert_described(struct fixture *f, struct exit_record record, const char *expected)
{
    char text[160];

    log_exit_describe(&f->machine.bus, &record, text, sizeof text);
    assert_string_equal(text, expected);
}

static void test_descriptions(void **state)
{
    struct fixture *f = *state;
    struct exit_record many = port(0x3f8, false, 'a');

    many.count = 4;
    assert_described(f, port(0x3f8, true, 'A'), "out port 0x3f8 uart.THR value 0x41");
    assert_described(f, many, "in port 0x3f8 uart.RBR value 0x61 and 3 more");
    assert_described(f, port(0x81, true, 7), "out port 0x81 no device value 0x7");
    assert_described(f, (struct exit_record){.space = EXIT_MEMORY, .address = 0x1000, .value = 5},
                     "read address 0x1000 no device value 0x5");
    assert_described(f, (struct exit_record){0}, "");
}

static void test_short_buffers(void **state)
{
    struct fixture *f = *state;
    struct exit_record r = port(0x3f8, true, 'A');
    char text[6];

    log_exit_name(&f->machine.bus, &r, "", text, sizeof text);
    assert_string_equal(text, "uart.");
    log_exit_describe(&f->machine.bus, &r, text, sizeof text);
    assert_string_equal(text, "out p");
}

/* Registers more than a byte apart, more registers than are distinguished, and no names at all. */
static void test_strides(void **state)
{
    static const char *const names[] = {"first", NULL, "third"};
    static const struct bus_registers registers = {.read = BUS_NAMES(names), .stride = 4};
    static const struct bus_ops wide = {.name = "wide", .registers = &registers};
    static const struct bus_ops plain = {.name = "plain"};
    struct bus_range range = {.ops = &wide, .length = 4096};

    (void)state;
    assert_int_equal(bus_register(&range, 11, false, 0), 2);
    assert_string_equal(bus_register_name(&range, 2, false), "third");
    assert_null(bus_register_name(&range, 1, false));
    assert_null(bus_register_name(&range, 3, false));
    assert_null(bus_register_name(&range, 2, true));
    assert_int_equal(bus_register(&range, 4095, true, 0), BUS_REGISTERS_MAX - 1);
    range.ops = &plain;
    assert_int_equal(bus_register(&range, 100, true, 3), 0);
    assert_null(bus_register_name(&range, 0, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_names, set_up),
        cmocka_unit_test_setup(test_descriptions, set_up),
        cmocka_unit_test_setup(test_short_buffers, set_up),
        cmocka_unit_test(test_strides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
