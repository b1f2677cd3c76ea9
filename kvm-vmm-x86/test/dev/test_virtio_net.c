/* Unit tests of dev/virtio/net.c: frames both ways, in one buffer or several that come at once, and
 * packets that are not frames; a host that takes nothing, a driver without buffers. */
#include "dev/virtio/net.h"
#include "fake_net.h"
#include "virtio_driver.h"

enum { RECEIVE = VIRTIO_NET_RECEIVE, TRANSMIT = VIRTIO_NET_TRANSMIT, HEADER = 12, DATA = 0x1000 };

static struct driver driver;
static struct fake_net host;
static struct net net;

static int set_up(void **state)
{
    struct error error;

    (void)state;
    driver_memory(&driver);
    fake_net_init(&host);
    assert_int_equal(net_init(&net, &driver.fake.backend, 0, &host.host, &error), 0);
    driver_start(&driver, &net.device);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    net.device.kind->close(&net.device);
    return 0;
}

static uint8_t *buffer(uint32_t at)
{
    return driver.ram + DRIVER_BUFFER + at;
}

static void what_it_is(void **state)
{
    (void)state;
    assert_int_equal(driver_get(&driver, VIRTIO_MMIO_DEVICE_ID), VIRTIO_ID_NET);
    assert_int_equal(driver_get(&driver, VIRTIO_MMIO_CONFIG), 2);
    assert_int_equal(driver_get(&driver, VIRTIO_MMIO_CONFIG + 4), 9 << 8 | 1 << 16);
    assert_int_equal(driver_get(&driver, VIRTIO_MMIO_CONFIG + 8) >> 16, 1500);
    assert_true(host.chosen & VIRTIO_NET_F_GUEST_CSUM);
    host.host.up = false;
    driver_serve(&driver);
    assert_int_equal(driver_get(&driver, VIRTIO_MMIO_CONFIG + 4), 9 << 8);
    assert_int_equal(driver_get(&driver, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_INTERRUPT_CONFIG);
}

static void to_the_host(void **state)
{
    static const struct driver_part parts[] = {{0, 5, false}, {DATA, 100, false}};
    static const struct driver_part none[] = {{0, HEADER + 13, false}};

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        buffer(DATA)[i] = (uint8_t)i;
    driver_offer(&driver, TRANSMIT, parts, 2);
    driver_serve(&driver);
    assert_int_equal(driver_used(&driver, TRANSMIT), 1);
    assert_int_equal(host.sent_size, 105 - HEADER);
    assert_int_equal(host.sent[0], 7);
    driver_offer(&driver, TRANSMIT, none, 1);
    driver_serve(&driver);
    assert_int_equal(driver_used(&driver, TRANSMIT), 2);
    assert_int_equal(host.sent_count, 1);
    host.full = true;
    driver_offer(&driver, TRANSMIT, parts, 2);
    driver_serve(&driver);
    assert_int_equal(driver_used(&driver, TRANSMIT), 2);
    assert_int_equal(virtio_in_flight(&net.device.virtio), 0); /* a reset need not wait */
    host.full = false;
    driver_serve(&driver);
    assert_int_equal(host.sent_count, 2);
    assert_int_equal(driver_used(&driver, TRANSMIT), 3);
}

static void too_long(void **state)
{
    static const struct driver_part parts[] = {
        {0, 0x8000, false}, {0, 0x8000, false}, {0, 0x1000, false}};

    (void)state;
    driver_offer(&driver, TRANSMIT, parts, 3);
    driver_serve(&driver);
    assert_int_equal(driver_used(&driver, TRANSMIT), 1);
    assert_int_equal(host.sent_count, 0);
}

static void to_the_guest(void **state)
{
    static const struct driver_part part = {DATA, 200, true};
    struct virtio_net_header header;

    (void)state;
    host.waiting_size = 60;
    host.waiting_count = 2;
    driver_serve(&driver);
    driver_offer(&driver, RECEIVE, &part, 1);
    driver_serve(&driver);
    assert_int_equal(driver_used(&driver, RECEIVE), 1);
    assert_int_equal(driver_written(&driver, RECEIVE, 0), HEADER + 60);
    memcpy(&header, buffer(DATA), sizeof header);
    assert_int_equal(header.flags, VIRTIO_NET_HDR_F_DATA_VALID);
    assert_int_equal(header.num_buffers, 1);
    assert_memory_equal(buffer(DATA + HEADER), host.waiting, 60);
    assert_int_equal(host.waiting_count, 0); /* one is held */
    driver_offer(&driver, RECEIVE, &part, 1);
    driver_serve(&driver);
    assert_int_equal(driver_used(&driver, RECEIVE), 2);
}

/* Three buffers for one frame: none comes before the third is there. */
static void merged(void **state)
{
    struct virtio_net_header header;

    (void)state;
    host.waiting_size = 500;
    host.waiting_count = 1;
    for (uint32_t i = 0; i < 3; i++) {
        struct driver_part part = {DATA + 0x400 * i, 200, true};

        assert_int_equal(driver_used(&driver, RECEIVE), 0);
        driver_offer(&driver, RECEIVE, &part, 1);
        driver_serve(&driver);
        assert_int_equal(virtio_in_flight(&net.device.virtio), 0);
    }
    assert_int_equal(driver_used(&driver, RECEIVE), 3);
    assert_int_equal(driver_written(&driver, RECEIVE, 0), 200);
    assert_int_equal(driver_written(&driver, RECEIVE, 2), HEADER + 500 - 400);
    memcpy(&header, buffer(DATA), sizeof header);
    assert_int_equal(header.num_buffers, 3);
    assert_memory_equal(buffer(DATA + HEADER), host.waiting, 188);
    assert_memory_equal(buffer(DATA + 0x800), host.waiting + 388, 112);
    assert_int_equal(driver.fake.edges, 1);
}

/* A driver without merged buffers that has small buffers loses only long frames. */
static void not_merged(void **state)
{
    static const struct driver_part part = {DATA, 200, true};

    (void)state;
    driver_set(&driver, VIRTIO_MMIO_STATUS, 0);
    net.device.virtio.features &= ~VIRTIO_NET_F_MRG_RXBUF;
    driver_start(&driver, &net.device);
    driver_offer(&driver, RECEIVE, &part, 1);
    host.waiting_size = 500;
    host.waiting_count = 3;
    driver_serve(&driver);
    assert_int_equal(host.waiting_count, 0);
    assert_int_equal(driver_used(&driver, RECEIVE), 0);
    host.waiting_size = 100;
    host.waiting_count = 1;
    driver_serve(&driver);
    assert_int_equal(driver_used(&driver, RECEIVE), 1);
}

static void no_room_for_a_header(void **state)
{
    static const struct driver_part part = {DATA, 5, true};

    (void)state;
    driver_set(&driver, VIRTIO_MMIO_STATUS, 0);
    net.device.virtio.features &= ~VIRTIO_NET_F_MRG_RXBUF;
    driver_start(&driver, &net.device);
    driver_offer(&driver, RECEIVE, &part, 1);
    host.waiting_size = 60;
    host.waiting_count = 1;
    driver_serve(&driver);
    assert_true(driver_get(&driver, VIRTIO_MMIO_STATUS) & VIRTIO_STATUS_NEEDS_RESET);
    assert_int_equal(driver.fake.said, 1);
    driver_set(&driver, VIRTIO_MMIO_STATUS, 0);
    assert_int_equal(virtio_in_flight(&net.device.virtio), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(to_the_host, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(to_the_guest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(merged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(not_merged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_room_for_a_header, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
