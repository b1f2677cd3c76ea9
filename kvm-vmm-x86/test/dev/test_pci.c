/* Unit tests of dev/pci.c: configuration space by ports and in memory, BARs inside the windows and
 * outside; a machine without devices has no PCI host. */
#include "pci_guest.h"

static uint64_t by_port(uint32_t address, unsigned offset, uint8_t size)
{
    set(BUS_PIO, PCI_ADDRESS_PORT, 4, address);
    return get(BUS_PIO, PCI_DATA_PORT + offset, size);
}

static void test_ports(void **state)
{
    (void)state;
    assert_int_equal(by_port(0x80000000, 0, 4), 0x00081b36);
    assert_int_equal(get(BUS_PIO, PCI_ADDRESS_PORT, 4), 0x80000000);
    assert_int_equal(by_port(0x80000800, 0, 4), 0x10441af4);
    assert_int_equal(by_port(0x80000800, 2, 2), 0x1044);
    assert_int_equal(by_port(0x80000800, 3, 1), 0x10);
    assert_int_equal(by_port(0x00000800, 0, 4), UINT32_MAX); /* not enabled */
    assert_int_equal(by_port(0x80001800, 0, 4), UINT32_MAX); /* no such slot, */
    assert_int_equal(by_port(0x80000900, 0, 4), UINT32_MAX); /* no such function, */
    assert_int_equal(by_port(0x80010800, 0, 4), UINT32_MAX); /* no such bus */
    assert_int_equal(by_port(0x80000800, 1, 4) >> 24, 0xff); /* beyond the last port */
    set(BUS_PIO, PCI_ADDRESS_PORT, 1, 0x12); /* the register takes only 32-bit writes */
    set(BUS_PIO, PCI_ADDRESS_PORT + 2, 2, 0x1234);
    assert_int_equal(get(BUS_PIO, PCI_ADDRESS_PORT, 4), 0x80000800);
    set(BUS_PIO, 0xcf9, 1, 2); /* in the middle of it: the reset register */
    assert_int_equal(get(BUS_PIO, 0xcf9, 1), 2);
    assert_int_equal(get(BUS_PIO, PCI_ADDRESS_PORT, 4), 0x80000800);
}

static void test_memory(void **state)
{
    (void)state;
    assert_int_equal(config(1, 0, 4), 0x10441af4);
    assert_int_equal(config(2, PCI_DEVICE, 2), 0x1045);
    assert_int_equal(config(2, PCI_CLASS + 2, 1), 0);
    assert_int_equal(config(2, 0, 8) & UINT32_MAX, 0x10451af4);
    assert_int_equal(config(3, 0, 4), UINT32_MAX);
    assert_int_equal(config(1, 0x100, 4), UINT32_MAX); /* no extended capabilities */
    assert_int_equal(config(1, 0xfe, 4), UINT32_MAX);
    configure(1, 0x100, 4, 0);
    configure(1, PCI_VENDOR, 4, 0); /* read-only */
    configure(1, PCI_CAPABILITIES, 4, 0);
    assert_int_equal(config(1, 0, 4), 0x10441af4);
    assert_int_equal(config(1, PCI_CAPABILITIES, 1), MSIX);
    configure(1, PCI_INTERRUPT_LINE, 1, 11);
    assert_int_equal(config(1, PCI_INTERRUPT_LINE, 4), 0x010b);
}

static void test_capabilities(void **state)
{
    unsigned at = (unsigned)config(1, PCI_CAPABILITIES, 1), parts = 0, count = 0;

    (void)state;
    assert_true(config(1, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES);
    for (; at != 0 && count < 10; at = (unsigned)config(1, at + 1, 1), count++)
        if (config(1, at, 1) == PCI_CAP_VENDOR)
            parts |= 1u << config(1, at + 3, 1);
    assert_int_equal(parts, 0x3e);
    assert_int_equal(count, 7);
}

static void test_bar(void **state)
{
    (void)state;
    assert_int_equal(get(BUS_MMIO, BAR(1) + COMMON(queues), 2), 0xffff); /* not decoded yet */
    configure(1, PCI_BAR, 4, UINT32_MAX);
    configure(1, PCI_BAR + 4, 4, UINT32_MAX);
    assert_int_equal(config(1, PCI_BAR, 4), 0xffffc004);
    assert_int_equal(config(1, PCI_BAR + 4, 4), UINT32_MAX);
    enable(1);
    assert_int_equal(fake.notified_at, 0); /* nowhere */
    configure(1, PCI_BAR + 4, 4, 0);
    configure(1, PCI_BAR, 4, PCI_WINDOW_BASE + 0x100000);
    assert_int_equal(fake.notified_at, PCI_WINDOW_BASE + 0x100000 + NOTIFY);
    assert_int_equal(get(BUS_MMIO, PCI_WINDOW_BASE + 0x100000 + COMMON(queues), 2), 1);
    configure(1, PCI_COMMAND, 2, 0);
    assert_int_equal(fake.notified_at, 0);
    assert_int_equal(get(BUS_MMIO, PCI_WINDOW_BASE + 0x100000 + COMMON(queues), 2), 0xffff);
}

/* Over RAM, over interrupt controllers, over the end of a window, over other devices. */
static void test_bar_outside(void **state)
{
    static const uint64_t places[] = {0,
                                      0x4000,
                                      PCI_WINDOW_END,
                                      0xfee00000,
                                      PCI_MEMORY_BASE,
                                      PCI_WINDOW_BASE - 0x4000,
                                      UINT64_C(0xffffffffffffc000)};

    (void)state;
    enable(1);
    assert_int_equal(fake.notified_at, BAR(1) + NOTIFY);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        configure(1, PCI_BAR, 4, places[i]);
        configure(1, PCI_BAR + 4, 4, places[i] >> 32);
        assert_int_equal(machine.virtio_pci[0].function.at, 0);
        assert_int_equal(fake.notified_at, 0);
    }
    configure(1, PCI_BAR, 4, machine.pci.high.base); /* and above 4 GB it may be */
    configure(1, PCI_BAR + 4, 4, machine.pci.high.base >> 32);
    assert_int_equal(get(BUS_MMIO, machine.pci.high.base + COMMON(queues), 2), 1);
    set(BUS_MMIO, machine.pci.high.base + NOTIFY, 2, 0);
    assert_int_equal(wakes, 2); /* for the bus master bit, and for this write */
}

/* Two BARs at one address: the first one answers, and both devices keep working. */
static void test_bars_overlap(void **state)
{
    (void)state;
    enable(1);
    enable(2);
    configure(2, PCI_BAR, 4, BAR(1));
    assert_int_equal(get(BUS_MMIO, BAR(1) + COMMON(queues), 2), 1);
    configure(1, PCI_BAR, 4, BAR(1) + 0x4000);
    assert_true(get(BUS_MMIO, BAR(1) + COMMON(queues), 2) > 1);
    assert_int_equal(get(BUS_MMIO, BAR(2) + COMMON(queues), 2), 1);
    assert_int_equal(get(BUS_MMIO, BAR(2) + 0x4000, 4), UINT32_MAX);
    assert_int_equal(get(BUS_MMIO, BAR(2) + 0x3ffe, 4), UINT32_MAX); /* half is beyond */
}

/* Without a device there is no PCI host; port 0xcf9 exists in both cases. */
static void test_without(void **state)
{
    static const struct guest_config none = {.virtio = VIRTIO_BY_PCI}, mmio = {.rng = true};
    const struct guest_config *const configs[] = {&none, &mmio};
    struct acpi_device devices[ACPI_DEVICES_MAX];
    struct error error;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(
            machine_init(&machine, configs[i], &fake.backend, &fake.backend, 40, &error), 0);
        assert_null(bus_find(&machine.bus, BUS_PIO, PCI_DATA_PORT));
        assert_null(bus_find(&machine.bus, BUS_MMIO, PCI_MEMORY_BASE));
        assert_null(bus_find(&machine.bus, BUS_MMIO, PCI_WINDOW_BASE));
        assert_non_null(bus_find(&machine.bus, BUS_PIO, 0xcf9));
        assert_false(config_has_pci(configs[i]));
        assert_int_equal(machine_describe(configs[i], devices), 3 + i);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_ports, set_up),
        cmocka_unit_test_setup(test_memory, set_up),
        cmocka_unit_test_setup(test_capabilities, set_up),
        cmocka_unit_test_setup(test_bar, set_up),
        cmocka_unit_test_setup(test_bar_outside, set_up),
        cmocka_unit_test_setup(test_bars_overlap, set_up),
        cmocka_unit_test_setup(test_without, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
