/* Unit tests of dev/virtio/vsock.c: a guest restored from a saved state still believes in
 * connections that are gone. */
#include "vsock_guest.h"

/* Saved, and loaded into the device of another process over the same memory. */
static void restore(void)
{
    static uint8_t bytes[8192];
    struct chunk_writer writer = {.bytes = bytes, .room = sizeof bytes};
    struct chunk_reader reader;
    struct chunk chunk;
    struct error error;

    assert_true(virtio_device_ops.quiesce(&vsock.device));
    virtio_device_ops.save(&vsock.device, "v", &writer);
    vsock.device.kind->close(&vsock.device);
    assert_int_equal(vsock_init(&vsock, &driver.fake.backend, 0, CID, &host.host, &error), 0);
    vsock.device.wake = driver_wake;
    vsock.device.wake_context = &driver;
    reader = (struct chunk_reader){.bytes = bytes, .size = writer.used};
    assert_int_equal(chunk_next(&reader, &chunk, &error), 1);
    assert_int_equal(virtio_device_ops.load(&vsock.device, &chunk, &error), 0);
    virtio_device_ops.resume(&vsock.device);
}

static void offer_event_buffer(void)
{
    struct driver_part part = {EVENT, 8, true};

    driver_offer(&driver, VIRTIO_VSOCK_EVENT, &part, 1);
    driver_serve(&driver);
}

/* The request after which the driver notifies the device. */
static uint16_t told_from(unsigned queue)
{
    uint16_t event;

    memcpy(&event,
           driver.ram + DRIVER_QUEUE + queue * 0x1000 + 0x804 +
               DRIVER_QUEUE_SIZE * sizeof(struct virtio_used),
           sizeof event);
    return event;
}

/* The guest is saved with connections in both directions, a packet in flight and a buffer for
 * another. */
static void saved(void **state)
{
    struct fake_stream *s = fake_vsock_client(&host, "CONNECT 77\n");
    struct virtio_vsock_header h = next();
    struct driver_part data[] = {{OUT, HEADER, false}, {DATA, 100, false}};
    struct driver_part buffer = {IN, ROOM, true};
    uint32_t event = 99, old_port = h.source_port;
    uint16_t taken;

    (void)state;
    offer_event_buffer();
    offer_event_buffer();
    h = packet(VIRTIO_VSOCK_RW);
    h.target_port = old_port;
    h.size = 100;
    memcpy(driver.ram + DRIVER_BUFFER + OUT, &h, HEADER);
    taken = driver_used(&driver, TRANSMIT);
    driver_offer(&driver, TRANSMIT, data, 2);
    driver_offer(&driver, RECEIVE, &buffer, 1);
    restore();
    assert_false(s->open);
    (void)fake_vsock_client(&host, "CONNECT 77\n");
    memcpy(driver.ram + DRIVER_BUFFER + EVENT, &event, sizeof event);
    driver_serve(&driver);
    assert_int_equal(driver_used(&driver, TRANSMIT), taken + 1); /* neither lost nor twice */
    assert_int_equal(driver_used(&driver, VIRTIO_VSOCK_EVENT), 1);
    memcpy(&event, driver.ram + DRIVER_BUFFER + EVENT, sizeof event);
    assert_int_equal(event, VIRTIO_VSOCK_TRANSPORT_RESET);
    nothing(); /* until the guest has processed the event, and notifies although a buffer is left */
    assert_int_equal(told_from(VIRTIO_VSOCK_EVENT), 2);
    offer_event_buffer();
    h = next();
    assert_true(h.op == VIRTIO_VSOCK_RST && h.source_port == old_port);
    h = next();
    assert_int_equal(h.op, VIRTIO_VSOCK_REQUEST);
    assert_int_not_equal(h.source_port, old_port);
    nothing();
    assert_int_equal(driver_used(&driver, VIRTIO_VSOCK_EVENT), 1);
}

/* Saved again in the middle of that: the guest gets the event again, and nothing before it. A
 * driver without event buffers is not waited for. */
static void saved_again(void **state)
{
    (void)state;
    (void)guest_connects();
    offer_event_buffer();
    restore();
    driver_serve(&driver);
    offer_event_buffer();
    restore();
    say(VIRTIO_VSOCK_REQUEST);
    nothing();
    assert_int_equal(driver_used(&driver, VIRTIO_VSOCK_EVENT), 2);
    restore();
    say(VIRTIO_VSOCK_REQUEST);
    expect(VIRTIO_VSOCK_RESPONSE);
    offer_event_buffer();
    assert_int_equal(driver_used(&driver, VIRTIO_VSOCK_EVENT), 3);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(saved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(saved_again, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("vsock_saved", tests, NULL, NULL);
}
