/* Unit tests of dev/virtio/console.c and channel.c: ports come with their names, bytes go both ways
 * and wait if there is no room, ends come after bytes, a state is restored in another device. */
#include "dev/virtio/console.h"
#include "fake_channels.h"
#include "virtio_driver.h"

enum {
    CONTROL_IN = 2,
    CONTROL_OUT = 3,
    IN = 1, /* the port "in", and its queues */
    IN_QUEUE = 4,
    IN_OUT_QUEUE = 5,
    REPLY = 0x8000, /* where messages to the driver go, 64 bytes each */
    REPLIES = 12,
    DATA = 0x1000
};

static struct driver driver;
static struct fake_channels fake;
static struct virtio_console console;
static unsigned read_replies;

static uint8_t *buffer(uint32_t at)
{
    return driver.ram + DRIVER_BUFFER + at;
}

static void offer_replies(void)
{
    read_replies = 0;
    for (uint32_t i = 0; i < REPLIES; i++) {
        struct driver_part part = {REPLY + 64 * i, 64, true};

        driver_offer(&driver, CONTROL_IN, &part, 1);
    }
}

static int set_up(void **state)
{
    (void)state;
    driver_memory(&driver);
    fake_channels_init(&fake);
    channel_resize(&fake.channel[0], 30, 100);
    virtio_console_init(&console, &driver.fake.backend, 0, &fake.set);
    driver_start(&driver, &console.device);
    offer_replies();
    return 0;
}

static void tell(uint32_t port, enum virtio_console_event event, uint16_t value)
{
    struct virtio_console_control message = {port, (uint16_t)event, value};
    struct driver_part part = {0, sizeof message, false};

    memcpy(buffer(0), &message, sizeof message);
    driver_offer(&driver, CONTROL_OUT, &part, 1);
    driver_serve(&driver);
}

/* Expects this message next from the device, followed by these bytes. */
static void expect(uint32_t port, enum virtio_console_event event, uint16_t value, const void *rest,
                   size_t size)
{
    struct virtio_console_control message;

    assert_true(driver_used(&driver, CONTROL_IN) > read_replies);
    assert_int_equal(driver_written(&driver, CONTROL_IN, read_replies), sizeof message + size);
    memcpy(&message, buffer(REPLY + 64 * read_replies), sizeof message);
    assert_int_equal(message.port, port);
    assert_int_equal(message.event, event);
    assert_int_equal(message.value, value);
    assert_memory_equal(buffer(REPLY + 64 * read_replies) + sizeof message, rest, size);
    read_replies++;
}

static void expect_silence(void)
{
    assert_int_equal(driver_used(&driver, CONTROL_IN), read_replies);
}

static void open_port(unsigned port)
{
    tell(port, VIRTIO_CONSOLE_PORT_READY, 1);
    expect(port, VIRTIO_CONSOLE_PORT_NAME, 1, fake.channel[port].name,
           strlen(fake.channel[port].name));
    tell(port, VIRTIO_CONSOLE_PORT_OPEN, 1);
    assert_true(channel_is_open(&fake.channel[port]));
}

static void ports_come(void **state)
{
    static const struct virtio_console_size size = {100, 30}, other = {132, 50};

    (void)state;
    assert_int_equal(driver_get(&driver, VIRTIO_MMIO_CONFIG), 100 | 30 << 16);
    assert_int_equal(driver_get(&driver, VIRTIO_MMIO_CONFIG + 4), FAKE_CHANNELS);
    expect_silence();
    tell(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
    for (unsigned i = 0; i < FAKE_CHANNELS; i++)
        expect(i, VIRTIO_CONSOLE_PORT_ADD, 1, NULL, 0);
    expect_silence();
    channel_set_open(&fake.channel[0], true);
    tell(0, VIRTIO_CONSOLE_PORT_READY, 1);
    expect(0, VIRTIO_CONSOLE_CONSOLE_PORT, 1, NULL, 0);
    expect(0, VIRTIO_CONSOLE_RESIZE, 0, &size, sizeof size);
    expect(0, VIRTIO_CONSOLE_PORT_OPEN, 1, NULL, 0);
    tell(IN, VIRTIO_CONSOLE_PORT_READY, 1);
    expect(IN, VIRTIO_CONSOLE_PORT_NAME, 1, "in", 2);
    channel_resize(&fake.channel[0], 50, 132);
    driver_serve(&driver);
    expect(0, VIRTIO_CONSOLE_RESIZE, 0, &other, sizeof other);
    tell(FAKE_CHANNELS, VIRTIO_CONSOLE_PORT_READY, 1); /* there is no such port */
    tell(UINT32_MAX, VIRTIO_CONSOLE_PORT_OPEN, 1);
    tell(0, 999, 1);
    expect_silence();
    assert_int_equal(driver.fake.said, 0);
}

static void bytes_to_the_guest(void **state)
{
    static const struct driver_part parts[] = {{DATA, 3, true}, {DATA + 0x100, 100, true}};

    (void)state;
    channel_set_open(&fake.channel[IN], true);
    assert_int_equal(channel_write(&fake.channel[IN], "0123456789", 10), 10);
    assert_true(fake.wakes > 0);
    driver_offer(&driver, IN_QUEUE, parts, 2);
    driver_serve(&driver);
    assert_int_equal(driver_used(&driver, IN_QUEUE), 0); /* the driver would drop them */
    open_port(IN);
    assert_int_equal(driver_used(&driver, IN_QUEUE), 1);
    assert_int_equal(driver_written(&driver, IN_QUEUE, 0), 10);
    assert_memory_equal(buffer(DATA), "012", 3);
    assert_memory_equal(buffer(DATA + 0x100), "3456789", 7);
    channel_write(&fake.channel[IN], "x", 1);
    driver_serve(&driver);
    assert_int_equal(virtio_in_flight(&console.device.virtio), 0);
    driver_offer(&driver, IN_QUEUE, parts, 1);
    driver_serve(&driver);
    assert_int_equal(driver_written(&driver, IN_QUEUE, 1), 1);
}

/* The host's end closes when the guest has read what was written before. */
static void an_end_comes_last(void **state)
{
    static const struct driver_part part = {DATA, 100, true};

    (void)state;
    channel_set_open(&fake.channel[IN], true);
    open_port(IN);
    expect(IN, VIRTIO_CONSOLE_PORT_OPEN, 1, NULL, 0);
    channel_write(&fake.channel[IN], "last", 4);
    channel_set_open(&fake.channel[IN], false);
    driver_serve(&driver);
    expect_silence();
    driver_offer(&driver, IN_QUEUE, &part, 1);
    driver_serve(&driver);
    assert_int_equal(driver_written(&driver, IN_QUEUE, 0), 4);
    expect(IN, VIRTIO_CONSOLE_PORT_OPEN, 0, NULL, 0);
}

/* Data beyond the channel's size waits in its queue; the guest's end closes after it. */
static void no_room(void **state)
{
    static const struct driver_part part = {DATA, 0x6000, false};
    struct channel *channel = &fake.channel[IN];
    uint8_t got[0x6000];
    size_t total = 0, n;

    (void)state;
    open_port(IN);
    channel_set_open(channel, true);
    memset(buffer(DATA), 0x3c, part.size);
    for (unsigned i = 0; i < 4; i++)
        driver_offer(&driver, IN_OUT_QUEUE, &part, 1);
    tell(IN, VIRTIO_CONSOLE_PORT_OPEN, 0);
    assert_int_equal(driver_used(&driver, IN_OUT_QUEUE), 2);
    assert_int_equal(virtio_in_flight(&console.device.virtio), 0); /* a reset need not wait */
    fake.wakes = 0;
    while (channel_is_open(channel)) {
        n = channel_read(channel, got, sizeof got);
        assert_true(n > 0);
        total += n;
        assert_int_equal(got[n - 1], 0x3c);
        driver_serve(&driver);
    }
    assert_int_equal(total, 4 * part.size);
    assert_int_equal(fake.wakes, 1);
    assert_int_equal(driver_used(&driver, IN_OUT_QUEUE), 4);
}

/* Data that a guest writes while the host's end is closed is lost, and the guest does not wait. */
static void closed(void **state)
{
    static const struct driver_part part = {DATA, 0x7000, false};

    (void)state;
    open_port(IN);
    for (unsigned i = 0; i < 12; i++) {
        driver_offer(&driver, IN_OUT_QUEUE, &part, 1);
        driver_serve(&driver);
    }
    assert_int_equal(driver_used(&driver, IN_OUT_QUEUE), 12);
    assert_int_equal(fake.channel[IN].from_guest.used, 0);
}

static void the_host_writes_more_than_fits(void **state)
{
    static const struct driver_part part = {DATA, 0x7000, true};
    struct channel *channel = &fake.channel[IN];
    static uint8_t bytes[CHANNEL_SIZE];
    unsigned news;

    (void)state;
    channel_set_open(channel, true);
    open_port(IN);
    assert_int_equal(channel_write(channel, bytes, sizeof bytes), sizeof bytes);
    assert_int_equal(channel_write(channel, bytes, 1), 0);
    news = fake.news;
    driver_offer(&driver, IN_QUEUE, &part, 1);
    driver_serve(&driver);
    assert_int_equal(fake.news, news); /* not for a few bytes */
    driver_offer(&driver, IN_QUEUE, &part, 1);
    driver_serve(&driver);
    assert_int_equal(fake.news, news + 1);
    assert_int_equal(channel_room(channel), 2 * part.size);
}

static void bad_messages(void **state)
{
    static const struct driver_part part = {0, 7, false}, small = {REPLY, 7, true};

    (void)state;
    driver_offer(&driver, CONTROL_OUT, &part, 1);
    driver_serve(&driver);
    assert_true(driver_get(&driver, VIRTIO_MMIO_STATUS) & VIRTIO_STATUS_NEEDS_RESET);
    assert_int_equal(driver.fake.said, 1);
    driver_set(&driver, VIRTIO_MMIO_STATUS, 0);
    driver_start(&driver, &console.device);
    driver_offer(&driver, CONTROL_IN, &small, 1);
    tell(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
    assert_int_equal(driver.fake.said, 2);
    driver_set(&driver, VIRTIO_MMIO_STATUS, 0);
    driver_start(&driver, &console.device);
    offer_replies();
    driver.fake.said = 0;
    ports_come(state);
}

static void a_reset_closes(void **state)
{
    (void)state;
    open_port(IN);
    driver_set(&driver, VIRTIO_MMIO_STATUS, 0);
    assert_false(channel_is_open(&fake.channel[IN]));
}

/* A driver without multiport has only the console, and gets no control messages. */
static void one_port(void **state)
{
    static const struct driver_part in = {DATA, 10, true}, out = {DATA + 0x100, 5, false};
    uint8_t got[8];

    (void)state;
    driver_set(&driver, VIRTIO_MMIO_STATUS, 0);
    console.device.virtio.features = VIRTIO_CONSOLE_F_SIZE;
    driver_start(&driver, &console.device);
    channel_set_open(&fake.channel[0], true);
    assert_true(channel_is_open(&fake.channel[0]));
    channel_write(&fake.channel[0], "abc", 3);
    memcpy(buffer(DATA + 0x100), "hello", 5);
    driver_offer(&driver, 0, &in, 1);
    driver_offer(&driver, 1, &out, 1);
    driver_serve(&driver);
    assert_int_equal(driver_written(&driver, 0, 0), 3);
    assert_int_equal(channel_read(&fake.channel[0], got, sizeof got), 5);
    assert_memory_equal(got, "hello", 5);
}

/* A state in the middle of a request that the host has taken in part. */
static void a_state_goes_on(void **state)
{
    static const struct driver_part part = {DATA, 0x6000, false};
    static struct fake_channels others;
    static struct virtio_console other;
    static uint8_t saved[8192], got[0x6000];
    struct chunk_writer writer = {.bytes = saved, .room = sizeof saved};
    struct chunk_reader reader;
    struct chunk chunk;
    struct error error;
    size_t total = 0, n;

    (void)state;
    open_port(IN);
    channel_set_open(&fake.channel[IN], true);
    for (unsigned i = 0; i < 3; i++)
        driver_offer(&driver, IN_OUT_QUEUE, &part, 1);
    driver_serve(&driver);
    assert_true(virtio_device_ops.quiesce(&console.device));
    virtio_device_ops.save(&console.device, "console", &writer);
    reader = (struct chunk_reader){.bytes = saved, .size = writer.used};
    assert_int_equal(chunk_next(&reader, &chunk, &error), 1);
    fake_channels_init(&others);
    virtio_console_init(&other, &driver.fake.backend, 0, &others.set);
    channel_set_open(&others.channel[IN], true);
    assert_int_equal(virtio_device_ops.load(&other.device, &chunk, &error), 0);
    driver.device = &other.device;
    assert_true(channel_is_open(&others.channel[IN]));
    driver_serve(&driver);
    while ((n = channel_read(&others.channel[IN], got, sizeof got)) > 0) {
        total += n;
        driver_serve(&driver);
    }
    assert_int_equal(total, 3 * part.size - CHANNEL_SIZE);
    others.set.count = 1; /* a machine with fewer ports */
    assert_int_equal(virtio_device_ops.load(&other.device, &chunk, &error), -1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ports_come, set_up),
        cmocka_unit_test_setup(bytes_to_the_guest, set_up),
        cmocka_unit_test_setup(an_end_comes_last, set_up),
        cmocka_unit_test_setup(no_room, set_up),
        cmocka_unit_test_setup(closed, set_up),
        cmocka_unit_test_setup(the_host_writes_more_than_fits, set_up),
        cmocka_unit_test_setup(bad_messages, set_up),
        cmocka_unit_test_setup(a_reset_closes, set_up),
        cmocka_unit_test_setup(one_port, set_up),
        cmocka_unit_test_setup(a_state_goes_on, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
