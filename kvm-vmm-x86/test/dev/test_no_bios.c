/* Unit tests of dev/no_bios.c: which vectors are filled, and the message for a write to the port.
 */
#include <stdlib.h>

#include "cmocka_all.h"
#include "dev/no_bios.h"
#include "fake_backend.h"

enum { BASE = 0x40000, SIZE = 0x40000, TOP = BASE + SIZE - 16 };

static uint8_t ram[SIZE];
static struct fake fake;
static struct no_bios device;

static int make(void **state)
{
    (void)state;
    memset(ram, 0, sizeof ram);
    fake_init(&fake);
    memory_init(&fake.memory, BASE, SIZE, ram);
    fake.backend.memory = &fake.memory;
    no_bios_init(&device, &fake.backend);
    return 0;
}

/* The address of the vector, as the CPU reads it. */
static unsigned target(unsigned n)
{
    return (unsigned)(ram[4 * n] | ram[4 * n + 1] << 8) +
           16 * (unsigned)(ram[4 * n + 2] | ram[4 * n + 3] << 8);
}

static enum verdict write_port(uint64_t rip, uint64_t cs, uint64_t ip)
{
    struct kvm_regs regs = {.rip = rip, .rax = ip, .rdx = cs};
    struct bus_cpu cpu = {.regs = &regs};
    uint8_t value = 0;
    struct bus_access access = {.data = &value, .size = 1, .write = true, .cpu = &cpu};

    return no_bios_ops.access(&device, &access);
}

static void test_vectors(void **state)
{
    (void)state;
    no_bios_fill(&fake.memory, 0x7c00, 0x7e00);
    for (unsigned n = 0; n < 256; n++)
        assert_int_equal(target(n), TOP);
    assert_int_equal(ram[0x400], 0);
    memset(ram, 0, sizeof ram);
    no_bios_fill(&fake.memory, 0x102, 0x200); /* the vector that reaches into the image is left */
    assert_int_equal(target(0x3f), TOP);
    assert_int_equal(target(0x40), 0);
    memset(ram, 0, sizeof ram);
    no_bios_fill(&fake.memory, 0, 0x10);
    assert_int_equal(target(0) + target(255), 0);
    no_bios_fill(&fake.memory, 0x7c00, SIZE); /* the end of the image is there */
    assert_int_equal(target(0), 0);
    memory_init(&fake.memory, BASE, 0x10000, ram); /* the stack is there */
    no_bios_fill(&fake.memory, 0x7c00, 0x7e00);
    assert_int_equal(target(0), 0);
}

static void test_what_is_said(void **state)
{
    (void)state;
    no_bios_fill(&fake.memory, 0x7c00, 0x7e00);
    memcpy(ram + 0x7c0e, "\xcd\x10\xcd\x13", 4);
    assert_int_equal(write_port(0x109, 0x4000, 0x7c10), VERDICT_STOP);
    assert_int_equal(fake.end, END_CRASH);
    assert_string_equal(fake.message,
                        "int 0x10 at 0x47c0e: this machine has no BIOS (--bios FILE)");
    assert_int_equal(write_port(0x13b, 0x4000, 0x7c12), VERDICT_STOP);
    assert_string_equal(fake.message,
                        "int 0x13 at 0x47c10: this machine has no BIOS (--bios FILE)");
    assert_int_equal(write_port(0x009, 0x4000, 0x7c00), VERDICT_STOP);
    assert_string_equal(fake.message,
                        "interrupt or exception 0 at 0x47c00: the guest has set no handler");
    assert_int_equal(write_port(0x009, 0xffff, 0xffff), VERDICT_STOP); /* outside of its memory */
}

/* No device has the port: a guest may write to it by itself, or overwrite the stub. */
static void test_a_guest_that_writes_it(void **state)
{
    (void)state;
    no_bios_fill(&fake.memory, 0x7c00, 0x7e00);
    assert_int_equal(write_port(0x7c03, 0, 0), VERDICT_RESUME);
    ram[SIZE - 16] = 0x90;
    assert_int_equal(write_port(0x109, 0, 0), VERDICT_RESUME);
    assert_int_equal(fake.end, END_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_vectors, make),
        cmocka_unit_test_setup(test_what_is_said, make),
        cmocka_unit_test_setup(test_a_guest_that_writes_it, make),
    };

    return cmocka_run_group_tests_name("no BIOS", tests, NULL, NULL);
}
