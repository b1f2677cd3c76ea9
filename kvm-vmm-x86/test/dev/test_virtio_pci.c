/* Unit tests of dev/virtio/pci.c and dev/msix.c: a driver runs a device with messages and with a
 * line, and a bad driver affects only its own device. */
#include "pci_guest.h"

static void start(unsigned slot)
{
    uint64_t bar = BAR(slot);

    enable(slot);
    set(BUS_MMIO, bar + COMMON(status), 1, 3);
    set(BUS_MMIO, bar + COMMON(feature_select), 4, 1);
    assert_true(get(BUS_MMIO, bar + COMMON(features), 4) & 1);
    set(BUS_MMIO, bar + COMMON(driver_feature_select), 4, 1);
    set(BUS_MMIO, bar + COMMON(driver_features), 4, 1);
    assert_int_equal(get(BUS_MMIO, bar + COMMON(driver_features), 4), 1);
    set(BUS_MMIO, bar + COMMON(status), 1, 0xb);
    assert_int_equal(get(BUS_MMIO, bar + COMMON(queue_size), 2), RNG_QUEUE_SIZE);
    set(BUS_MMIO, bar + COMMON(descriptors), 8, QUEUE);
    set(BUS_MMIO, bar + COMMON(driver), 4, QUEUE + 0x400);
    set(BUS_MMIO, bar + COMMON(device), 4, QUEUE + 0x800);
    assert_int_equal(get(BUS_MMIO, bar + COMMON(device), 8), QUEUE + 0x800);
    set(BUS_MMIO, bar + COMMON(queue_enable), 2, 1); /* of the size that it had */
    assert_int_equal(get(BUS_MMIO, bar + COMMON(queue_enable), 2), 1);
    set(BUS_MMIO, bar + COMMON(status), 1, 0xf);
    assert_int_equal(get(BUS_MMIO, bar + COMMON(status), 1), 0xf);
}

static uint16_t used(void)
{
    uint16_t index;

    memcpy(&index, ram + QUEUE + 0x802, 2);
    return index;
}

/* A request for 16 random bytes, served. */
static void request(void)
{
    static const struct virtio_descriptor d = {0x8000, 16, VIRTIO_DESC_WRITE, 0};
    uint16_t index;

    memcpy(&index, ram + QUEUE + 0x402, 2);
    index++;
    memcpy(ram + QUEUE, &d, sizeof d);
    memcpy(ram + QUEUE + 0x402, &index, 2);
    set(BUS_MMIO, BAR(1) + NOTIFY, 2, 0);
    while (virtio_device_run(machine.virtio[0]))
        ;
}

static void set_vector(unsigned slot, unsigned vector, uint64_t address, uint32_t data, bool masked)
{
    set(BUS_MMIO, BAR(slot) + TABLE + vector * 16, 8, address);
    set(BUS_MMIO, BAR(slot) + TABLE + vector * 16 + 8, 4, data);
    set(BUS_MMIO, BAR(slot) + TABLE + vector * 16 + 12, 4, masked);
}

static void test_line(void **state)
{
    (void)state;
    start(1);
    request();
    assert_int_equal(used(), 1);
    assert_true(fake.line[VIRTIO_DEVICE_GSI % 16]);
    assert_true(config(1, PCI_STATUS, 2) & PCI_STATUS_INTX);
    configure(1, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_NO_INTX);
    assert_false(fake.line[VIRTIO_DEVICE_GSI % 16]);
    enable(1);
    assert_true(fake.line[VIRTIO_DEVICE_GSI % 16]);
    assert_int_equal(get(BUS_MMIO, BAR(1) + ISR, 1), 1);
    assert_int_equal(get(BUS_MMIO, BAR(1) + ISR, 1), 0);
    assert_false(fake.line[VIRTIO_DEVICE_GSI % 16]);
    assert_int_equal(fake.messages, 0);
}

static void test_messages(void **state)
{
    (void)state;
    start(1);
    assert_int_equal(config(1, MSIX + PCI_MSIX_CONTROL, 2), 1); /* two vectors */
    assert_int_equal(get(BUS_MMIO, BAR(1) + TABLE + 12, 4), PCI_MSIX_ENTRY_MASK);
    set_vector(1, 1, 0xfee01000, 0x4041, false);
    configure(1, MSIX + PCI_MSIX_CONTROL, 2, PCI_MSIX_ENABLE);
    request(); /* no vector yet */
    assert_int_equal(fake.messages, 0);
    set(BUS_MMIO, BAR(1) + COMMON(queue_vector), 2, 2); /* beyond the table */
    assert_int_equal(get(BUS_MMIO, BAR(1) + COMMON(queue_vector), 2), VIRTIO_PCI_NO_VECTOR);
    set(BUS_MMIO, BAR(1) + COMMON(queue_vector), 2, 1);
    assert_int_equal(get(BUS_MMIO, BAR(1) + COMMON(queue_vector), 2), 1);
    request();
    assert_int_equal(fake.messages, 1);
    assert_int_equal(fake.message_address, 0xfee01000);
    assert_int_equal(fake.message_data, 0x4041);
    assert_int_equal(get(BUS_MMIO, BAR(1) + ISR, 1), 0);
    assert_false(fake.line[VIRTIO_DEVICE_GSI % 16]);
    assert_int_equal(used(), 2);
}

/* Masked in three ways, a message waits and is sent once; the table may change meanwhile. */
static void test_masks(void **state)
{
    (void)state;
    start(1);
    set(BUS_MMIO, BAR(1) + COMMON(queue_vector), 2, 0);
    set_vector(1, 0, 0xfee00000, 0x30, true);
    configure(1, MSIX + PCI_MSIX_CONTROL, 2, PCI_MSIX_ENABLE);
    request();
    request();
    assert_int_equal(fake.messages, 0);
    assert_int_equal(get(BUS_MMIO, BAR(1) + PENDING, 8), 1);
    set(BUS_MMIO, BAR(1) + PENDING, 4, 0); /* read-only */
    assert_int_equal(get(BUS_MMIO, BAR(1) + PENDING, 4), 1);
    configure(1, MSIX + PCI_MSIX_CONTROL, 2, PCI_MSIX_ENABLE | PCI_MSIX_MASK);
    set_vector(1, 0, 0xfee00000, 0x31, false);
    assert_int_equal(fake.messages, 0);
    configure(1, MSIX + PCI_MSIX_CONTROL, 2, PCI_MSIX_ENABLE);
    assert_int_equal(fake.messages, 1);
    assert_int_equal(fake.message_data, 0x31);
    assert_int_equal(get(BUS_MMIO, BAR(1) + PENDING, 4), 0);
    configure(1, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    virtio_config_changed(&machine.virtio[0]->virtio);
    assert_int_equal(fake.messages, 1);
    set(BUS_MMIO, BAR(1) + COMMON(config_vector), 2, 0);
    virtio_config_changed(&machine.virtio[0]->virtio);
    assert_int_equal(fake.messages, 1); /* a message is a write to memory */
    enable(1);
    assert_int_equal(fake.messages, 2);
}

/* A device that is not a bus master takes no requests. */
static void test_master(void **state)
{
    unsigned before;

    (void)state;
    start(1);
    configure(1, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    request();
    assert_int_equal(used(), 0);
    before = wakes;
    enable(1);
    assert_int_equal(wakes, before + 1);
    while (virtio_device_run(machine.virtio[0]))
        ;
    assert_int_equal(used(), 1);
}

static void test_window(void **state)
{
    (void)state;
    configure(1, WINDOW + 8, 4, COMMON(queues)); /* no BAR is decoded for that */
    configure(1, WINDOW + 12, 4, 2);
    assert_int_equal(config(1, WINDOW + 16, 2), 1);
    configure(1, WINDOW + 8, 4, COMMON(status));
    configure(1, WINDOW + 12, 4, 1);
    configure(1, WINDOW + 16, 1, 3);
    assert_int_equal(machine.virtio[0]->virtio.state.status, 3);
    configure(1, WINDOW + 12, 4, 3); /* no such width; and beyond the BAR; and no such BAR */
    configure(1, WINDOW + 16, 4, 0);
    configure(1, WINDOW + 12, 4, 4);
    configure(1, WINDOW + 8, 4, 0x4000);
    configure(1, WINDOW + 16, 4, 0);
    configure(1, WINDOW + 8, 4, UINT32_MAX);
    configure(1, WINDOW + 16, 4, 0);
    configure(1, WINDOW + 4, 1, 1);
    configure(1, WINDOW + 8, 4, COMMON(status));
    configure(1, WINDOW + 12, 4, 1);
    configure(1, WINDOW + 16, 1, 0);
    assert_int_equal(machine.virtio[0]->virtio.state.status, 3);
}

static void test_reset(void **state)
{
    (void)state;
    assert_int_equal(config(1, AF, 1), PCI_CAP_AF);
    start(1);
    set_vector(1, 0, 0xfee00000, 0x30, false);
    configure(1, MSIX + PCI_MSIX_CONTROL, 2, PCI_MSIX_ENABLE);
    configure(1, AF + PCI_AF_CONTROL, 1, 1);
    assert_int_equal(config(1, PCI_COMMAND, 2), 0);
    assert_int_equal(config(1, MSIX + PCI_MSIX_CONTROL, 2), 1);
    assert_int_equal(machine.virtio[0]->virtio.state.status, 0);
    assert_int_equal(fake.notified_at, 0);
    enable(1);
    assert_int_equal(get(BUS_MMIO, BAR(1) + TABLE + 12, 4), PCI_MSIX_ENTRY_MASK);
    assert_int_equal(get(BUS_MMIO, BAR(1) + TABLE, 8), 0);
    assert_int_equal(get(BUS_MMIO, BAR(1) + COMMON(config_vector), 2), VIRTIO_PCI_NO_VECTOR);
    memset(ram, 0, sizeof ram);
    start(1);
    request();
    assert_int_equal(used(), 1);
}

/* With requests in flight the vCPU waits, and tries again: nothing is reset before they have
 * completed. */
static void test_reset_in_flight(void **state)
{
    struct virtio_device *d = machine.virtio[0];
    uint64_t one = 1, command = PCI_COMMAND_MEMORY;

    (void)state;
    start(1);
    d->virtio.in_flight[0] = 1;
    assert_int_equal(reach(BUS_MMIO, PCI_MEMORY_BASE + (1 << 15) + PCI_COMMAND, 2, true, &command),
                     VERDICT_AGAIN);
    assert_true(d->awaited);
    assert_int_equal(
        reach(BUS_MMIO, PCI_MEMORY_BASE + (1 << 15) + AF + PCI_AF_CONTROL, 1, true, &one),
        VERDICT_AGAIN);
    assert_int_equal(config(1, PCI_COMMAND, 2), PCI_COMMAND_MEMORY);
    d->virtio.in_flight[0] = 0;
    configure(1, AF + PCI_AF_CONTROL, 1, 1);
    assert_int_equal(config(1, PCI_COMMAND, 2), 0);
}

/* Every register in every width, as an ignorant driver might; afterwards the device still works. */
static void test_odd_accesses(void **state)
{
    (void)state;
    enable(1);
    for (unsigned at = 0; at < 0x4000; at += at < 0x100 ? 1 : 61)
        for (uint8_t size = 1; size <= 8; size *= 2) {
            (void)get(BUS_MMIO, BAR(1) + at, size);
            if (at < COMMON(queue_enable) || at > COMMON(queue_notify_data))
                set(BUS_MMIO, BAR(1) + at, size, 0xa5a5a5a5a5a5a5a5);
        }
    for (unsigned at = 0; at < 0x1000; at++)
        for (uint8_t size = 1; size <= 8; size *= 2) {
            (void)config(1, at, size);
            if (at > PCI_BAR + 8)
                configure(1, at, size, 0xa5a5a5a5a5a5a5a5);
        }
    configure(1, AF + PCI_AF_CONTROL, 1, 1);
    start(1);
    request();
    assert_int_equal(used(), 1);
}

/* --- the saved state --- */

static size_t save(uint8_t *bytes, size_t room)
{
    struct chunk_writer writer = {.bytes = bytes, .room = room};

    assert_true(machine_quiesce(&machine));
    machine_save(&machine, &writer);
    assert_false(writer.full);
    return writer.used;
}

static int load(const uint8_t *bytes, size_t size, struct error *error)
{
    struct chunk_reader reader = {.bytes = bytes, .size = size};
    struct chunk chunk;
    int result = 0;

    while (result == 0 && chunk_next(&reader, &chunk, error) > 0)
        result = machine_load(&machine, &chunk, error);
    return result;
}

static void test_state_moves(void **state)
{
    static uint8_t saved[32768], again[32768];
    struct error error;
    size_t size;

    start(1);
    set(BUS_MMIO, BAR(1) + COMMON(queue_vector), 2, 0);
    set_vector(1, 0, 0xfee00000, 0x30, true);
    configure(1, MSIX + PCI_MSIX_CONTROL, 2, PCI_MSIX_ENABLE);
    request();
    size = save(saved, sizeof saved);
    (void)set_up(state);
    if (load(saved, size, &error) < 0)
        fail_msg("%s", error.text);
    assert_int_equal(fake.notified_at, BAR(1) + NOTIFY);
    assert_int_equal(get(BUS_MMIO, BAR(1) + PENDING, 4), 1);
    set_vector(1, 0, 0xfee00000, 0x30, false);
    assert_int_equal(fake.messages, 1);
    set_vector(1, 0, 0xfee00000, 0x30, true);
    machine.virtio_pci[0].state.pending = 1;
    assert_int_equal(save(again, sizeof again), size);
    assert_memory_equal(saved, again, size);
}

/* A line that was high is high again; an impossible state is refused, in each of its parts. */
static void test_state_that_cannot_be(void **state)
{
    static uint8_t saved[32768];
    struct error error;
    size_t size;

    start(1);
    request();
    size = save(saved, sizeof saved);
    (void)set_up(state);
    assert_int_equal(load(saved, size, &error), 0);
    assert_true(fake.line[VIRTIO_DEVICE_GSI % 16]);
    machine.virtio_pci[0].state.vectors[0] = 2;
    size = save(saved, sizeof saved);
    machine.virtio_pci[0].state.vectors[0] = 1;
    assert_int_equal(load(saved, size, &error), -1);
    assert_int_equal(machine.virtio_pci[0].state.vectors[0], 1);
    machine.virtio_pci[0].function.config[PCI_DEVICE] ^= 1;
    size = save(saved, sizeof saved);
    machine.virtio_pci[0].function.config[PCI_DEVICE] ^= 1;
    assert_int_equal(load(saved, size, &error), -1);
    machine.virtio_pci[0].state.pending = 4;
    size = save(saved, sizeof saved);
    assert_int_equal(load(saved, size, &error), -1);
    machine.virtio_pci[0].state.pending = 0;
    machine.pci.state.high.base++;
    size = save(saved, sizeof saved);
    machine.pci.state.high.base--;
    assert_int_equal(load(saved, size, &error), -1);
    assert_non_null(strstr(error.text, "PCI window"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_line, set_up),
        cmocka_unit_test_setup(test_messages, set_up),
        cmocka_unit_test_setup(test_masks, set_up),
        cmocka_unit_test_setup(test_master, set_up),
        cmocka_unit_test_setup(test_window, set_up),
        cmocka_unit_test_setup(test_reset, set_up),
        cmocka_unit_test_setup(test_reset_in_flight, set_up),
        cmocka_unit_test_setup(test_odd_accesses, set_up),
        cmocka_unit_test_setup(test_state_moves, set_up),
        cmocka_unit_test_setup(test_state_that_cannot_be, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
