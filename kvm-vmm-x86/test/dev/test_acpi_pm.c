/* Unit tests of dev/acpi_pm.c: power off and reset as a kernel does them, and writes that must not
 * do so. */
#include "cmocka_all.h"
#include "dev/acpi_pm.h"
#include "fake_backend.h"

enum { SLEEP = 1 << 13, OFF = ACPI_PM_SLEEP_OFF << 10, SCI_ENABLED = 1 };

static struct fake fake;
static struct acpi_pm pm;

static int set_up(void **state)
{
    (void)state;
    fake_init(&fake);
    acpi_pm_init(&pm, &fake.backend);
    return 0;
}

static enum verdict write_port(uint64_t offset, uint32_t value, uint8_t size)
{
    struct bus_access access = {
        .offset = offset, .data = (uint8_t *)&value, .size = size, .write = true};

    return acpi_pm_ops.access(&pm, &access);
}

static uint32_t read_port(uint64_t offset, uint8_t size)
{
    uint32_t value = 0;
    struct bus_access access = {.offset = offset, .data = (uint8_t *)&value, .size = size};

    assert_int_equal(acpi_pm_ops.access(&pm, &access), VERDICT_RESUME);
    return value;
}

static void test_registers(void **state)
{
    (void)state;
    assert_int_equal(read_port(ACPI_PM_CONTROL, 2), SCI_ENABLED);
    assert_int_equal(write_port(ACPI_PM_EVENT, 0x0120ffff, 4), VERDICT_RESUME);
    assert_int_equal(read_port(ACPI_PM_EVENT, 4), 0x01200000);
    assert_int_equal(read_port(ACPI_PM_EVENT + 2, 2), 0x0120);
    assert_int_equal(write_port(ACPI_PM_CONTROL, 2, 2), VERDICT_RESUME);
    assert_int_equal(read_port(ACPI_PM_CONTROL, 2), 2 | SCI_ENABLED);
    assert_int_equal(read_port(ACPI_PM_RESET, 1), 0);
    assert_int_equal(fake.end, END_NONE);
}

/* A general-purpose event interrupts while it is enabled, until it is cleared. */
static void test_general_event(void **state)
{
    enum { BIT = 1 << ACPI_PM_GENERATION };

    (void)state;
    acpi_pm_general(&pm, ACPI_PM_GENERATION);
    assert_false(fake.line[ACPI_PM_IRQ]);
    assert_int_equal(read_port(ACPI_PM_GENERAL, 1), BIT);
    assert_int_equal(write_port(ACPI_PM_GENERAL + 1, BIT, 1), VERDICT_RESUME);
    assert_true(fake.line[ACPI_PM_IRQ]);
    assert_int_equal(write_port(ACPI_PM_GENERAL, BIT, 1), VERDICT_RESUME);
    assert_false(fake.line[ACPI_PM_IRQ]);
    assert_int_equal(read_port(ACPI_PM_GENERAL + 1, 1), BIT);
    assert_int_equal(fake.wakes, 0);
}

/* The interrupt line is up from the press, or from when the guest enables the event, until the
 * guest has cleared the event. */
static void test_power_button(void **state)
{
    enum { BUTTON = 1 << 8 };

    (void)state;
    acpi_pm_happen(&pm, ACPI_PM_POWER_BUTTON);
    assert_false(fake.line[ACPI_PM_IRQ]);
    assert_int_equal(read_port(ACPI_PM_EVENT, 2), BUTTON);
    assert_int_equal(write_port(ACPI_PM_EVENT + 2, BUTTON, 2), VERDICT_RESUME);
    assert_true(fake.line[ACPI_PM_IRQ]);
    assert_int_equal(write_port(ACPI_PM_EVENT, 0xff, 2), VERDICT_RESUME); /* other events' bits */
    assert_true(fake.line[ACPI_PM_IRQ]);
    assert_int_equal(write_port(ACPI_PM_EVENT, BUTTON, 2), VERDICT_RESUME);
    assert_false(fake.line[ACPI_PM_IRQ]);
    assert_int_equal(read_port(ACPI_PM_EVENT, 2), 0);
    acpi_pm_happen(&pm, ACPI_PM_POWER_BUTTON);
    assert_true(fake.line[ACPI_PM_IRQ]);
    assert_int_equal(fake.edges, 2);
    bus_reset(&acpi_pm_ops, &pm);
    assert_false(fake.line[ACPI_PM_IRQ]);
}

/* An enabled event wakes the machine; one that is pending already does so at once; the button
 * always does. */
static void test_sleep(void **state)
{
    enum { RAM = ACPI_PM_SLEEP_RAM << 10, NOW = SLEEP, ALARM = 1 << 10 };

    (void)state;
    assert_int_equal(write_port(ACPI_PM_CONTROL, RAM, 2), VERDICT_RESUME);
    assert_int_equal(fake.sleeps, 0);
    assert_int_equal(write_port(ACPI_PM_CONTROL, RAM | NOW, 2), VERDICT_RESUME);
    assert_int_equal(fake.sleeps, 1);
    acpi_pm_happen(&pm, ACPI_PM_ALARM);
    assert_int_equal(fake.wakes, 0);
    acpi_pm_happen(&pm, ACPI_PM_POWER_BUTTON);
    assert_int_equal(fake.wakes, 1);
    assert_int_equal(write_port(ACPI_PM_EVENT + 2, ALARM, 2), VERDICT_RESUME);
    assert_int_equal(write_port(ACPI_PM_CONTROL, RAM | NOW, 2), VERDICT_RESUME);
    assert_int_equal(fake.wakes, 2);
    bus_reset(&acpi_pm_ops, &pm);
    acpi_pm_woken(&pm, ACPI_PM_ALARM);
    assert_int_equal(read_port(ACPI_PM_EVENT, 2), 0x8400);
}

static void press_and_sleep(void *context)
{
    acpi_pm_happen(&pm, ACPI_PM_POWER_BUTTON); /* too early: nothing sleeps yet */
    fake_sleep(context);
    fake.wakes = 0;
}

/* The button is pressed between the write of the sleep bit and the sleep, and its event is not
 * enabled: the machine wakes. A press before that write does not wake it. */
static void test_pressed_before_it_sleeps(void **state)
{
    enum { NOW = ACPI_PM_SLEEP_RAM << 10 | SLEEP };
    struct backend early = fake.backend;

    (void)state;
    acpi_pm_happen(&pm, ACPI_PM_POWER_BUTTON);
    fake.wakes = 0;
    assert_int_equal(write_port(ACPI_PM_CONTROL, NOW, 2), VERDICT_RESUME);
    assert_int_equal(fake.wakes, 0);
    early.sleep = press_and_sleep;
    pm.backend = &early;
    assert_int_equal(write_port(ACPI_PM_CONTROL, NOW, 2), VERDICT_RESUME);
    assert_int_equal(fake.wakes, 1);
}

/* First the type, then the type and the sleep bit, as ACPICA does. */
static void test_power_off(void **state)
{
    (void)state;
    assert_int_equal(write_port(ACPI_PM_CONTROL, OFF, 2), VERDICT_RESUME);
    assert_int_equal(fake.end, END_NONE);
    assert_int_equal(read_port(ACPI_PM_CONTROL, 2), OFF | SCI_ENABLED);
    assert_int_equal(write_port(ACPI_PM_CONTROL, OFF | SLEEP | SCI_ENABLED, 2), VERDICT_STOP);
    assert_int_equal(fake.end, END_EXIT);
    assert_int_equal(fake.code, 0);
}

static void test_other_states_do_nothing(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 8; type++)
        if (type != ACPI_PM_SLEEP_OFF) {
            assert_int_equal(write_port(ACPI_PM_CONTROL, type << 10 | SLEEP, 2), VERDICT_RESUME);
            assert_int_equal(read_port(ACPI_PM_CONTROL, 2), type << 10 | SCI_ENABLED);
        }
    assert_int_equal(fake.end, END_NONE);
}

static void test_reset(void **state)
{
    (void)state;
    assert_int_equal(write_port(ACPI_PM_RESET, ACPI_PM_RESET_VALUE + 1, 1), VERDICT_RESUME);
    assert_int_equal(fake.end, END_NONE);
    assert_int_equal(write_port(ACPI_PM_RESET, ACPI_PM_RESET_VALUE, 1), VERDICT_STOP);
    assert_int_equal(fake.end, END_RESET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_registers, set_up),
        cmocka_unit_test_setup(test_general_event, set_up),
        cmocka_unit_test_setup(test_power_button, set_up),
        cmocka_unit_test_setup(test_power_off, set_up),
        cmocka_unit_test_setup(test_sleep, set_up),
        cmocka_unit_test_setup(test_pressed_before_it_sleeps, set_up),
        cmocka_unit_test_setup(test_other_states_do_nothing, set_up),
        cmocka_unit_test_setup(test_reset, set_up),
    };

    return cmocka_run_group_tests_name("acpi_pm", tests, NULL, NULL);
}
