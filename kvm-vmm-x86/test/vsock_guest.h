/* A guest with a virtio socket device, for its unit tests: what its driver says and hears. */
#ifndef TEST_VSOCK_GUEST_H
#define TEST_VSOCK_GUEST_H

#include "dev/virtio/vsock.h"
#include "fake_vsock.h"
#include "virtio_driver.h"

enum { RECEIVE = VIRTIO_VSOCK_RECEIVE, TRANSMIT = VIRTIO_VSOCK_TRANSMIT, CID = 42, HEADER = 44 };
enum { OUT = 0, DATA = 0x100, EVENT = 0x8000, IN = 0x10000, ROOM = 0x1000 };
enum { PORT = 1234, GUEST_PORT = 77 };

static struct driver driver;
static struct fake_vsock host;
static struct vsock vsock;
static unsigned seen; /* packets from the host that were looked at */

static inline int set_up(void **state)
{
    struct error error;

    (void)state;
    driver_memory(&driver);
    fake_vsock_init(&host);
    assert_int_equal(vsock_init(&vsock, &driver.fake.backend, 0, CID, &host.host, &error), 0);
    driver_start(&driver, &vsock.device);
    seen = 0;
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    vsock.device.kind->close(&vsock.device);
    assert_int_equal(host.open - host.client_count, 0);
    return 0;
}

static inline struct virtio_vsock_header packet(enum virtio_vsock_op op)
{
    return (struct virtio_vsock_header){.source_cid = CID,
                                        .target_cid = VIRTIO_VSOCK_HOST,
                                        .source_port = GUEST_PORT,
                                        .target_port = PORT,
                                        .type = VIRTIO_VSOCK_STREAM,
                                        .op = (uint16_t)op,
                                        .buffer = 1 << 20};
}

/* `size` bytes of data behind it. */
static inline void send_packet(struct virtio_vsock_header h, uint32_t size)
{
    struct driver_part parts[] = {{OUT, HEADER, false}, {DATA, size, false}};

    memcpy(driver.ram + DRIVER_BUFFER + OUT, &h, HEADER);
    driver_offer(&driver, TRANSMIT, parts, size > 0 ? 2 : 1);
    driver_serve(&driver);
}

static inline void say(enum virtio_vsock_op op)
{
    send_packet(packet(op), 0);
}

static inline void send_data(uint32_t size)
{
    struct virtio_vsock_header h = packet(VIRTIO_VSOCK_RW);

    h.size = size;
    send_packet(h, size);
}

/* The next packet from the host, one buffer being offered for it; its op is 0 without one, and
 * the buffer stays. */
static inline struct virtio_vsock_header next(void)
{
    struct driver_part part = {IN, ROOM, true};
    struct virtio_vsock_header h = {0};

    if (driver.offered[RECEIVE] == seen)
        driver_offer(&driver, RECEIVE, &part, 1);
    driver_serve(&driver);
    if (driver_used(&driver, RECEIVE) == seen)
        return h;
    memcpy(&h, driver.ram + DRIVER_BUFFER + IN, HEADER);
    assert_int_equal(driver_written(&driver, RECEIVE, seen++), HEADER + h.size);
    assert_true(h.source_cid == VIRTIO_VSOCK_HOST && h.target_cid == CID);
    assert_int_equal(h.type, VIRTIO_VSOCK_STREAM);
    return h;
}

static inline void expect(enum virtio_vsock_op op)
{
    assert_int_equal(next().op, op);
}

static inline void nothing(void)
{
    assert_int_equal(next().op, 0);
}

static inline struct fake_stream *guest_connects(void)
{
    struct virtio_vsock_header h;

    say(VIRTIO_VSOCK_REQUEST);
    h = next();
    assert_true(h.op == VIRTIO_VSOCK_RESPONSE && h.buffer == VSOCK_BUFFER);
    assert_true(h.source_port == PORT && h.target_port == GUEST_PORT);
    assert_int_equal(host.port, PORT);
    return &host.stream[host.next - 1];
}

#endif
