/* Unit tests of dev/virtio/blk.c and device.c: requests good and bad on a disk in memory, a reset
 * and a pause with requests in flight, a state that is restored in another device. */
#include "dev/virtio/blk.h"
#include "fake_disk.h"
#include "virtio_driver.h"

enum { HEADER = 0, DATA = 0x1000, STATUS = 0x8000, UNTOUCHED = 0xaa };

static struct driver driver;
static struct fake_disk disk;
static struct blk blk;

static int set_up(void **state)
{
    struct error error;

    (void)state;
    driver_memory(&driver);
    fake_disk_init(&disk);
    assert_int_equal(blk_init(&blk, &driver.fake.backend, 3, &disk.disk, &error), 0);
    driver_start(&driver, &blk.device);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    blk.device.kind->close(&blk.device);
    return 0;
}

static uint8_t *buffer(uint32_t at)
{
    return driver.ram + DRIVER_BUFFER + at;
}

/* Offers a request with `size` bytes of data. */
static void offer(uint32_t type, uint64_t sector, uint32_t size, bool data_writable)
{
    struct virtio_blk_header header = {.type = type, .sector = sector};
    struct driver_part parts[3] = {{HEADER, sizeof header, false}};
    unsigned count = 1;

    memcpy(buffer(HEADER), &header, sizeof header);
    *buffer(STATUS) = UNTOUCHED;
    if (size > 0)
        parts[count++] = (struct driver_part){DATA, size, data_writable};
    parts[count++] = (struct driver_part){STATUS, 1, true};
    driver_offer(&driver, 0, parts, count);
}

static uint8_t ask(uint32_t type, uint64_t sector, uint32_t size, bool data_writable)
{
    uint16_t used = driver_used(&driver, 0);

    offer(type, sector, size, data_writable);
    driver_serve(&driver);
    assert_int_equal(driver_used(&driver, 0), used + 1);
    return *buffer(STATUS);
}

static void it_says_what_it_is(void **state)
{
    (void)state;
    assert_int_equal(driver_get(&driver, VIRTIO_MMIO_DEVICE_ID), VIRTIO_ID_BLOCK);
    assert_int_equal(driver_get(&driver, VIRTIO_MMIO_CONFIG), FAKE_DISK_SIZE / 512);
    assert_int_equal(ask(VIRTIO_BLK_GET_ID, 0, 20, true), VIRTIO_BLK_OK);
    assert_string_equal((char *)buffer(DATA), "fake");
    assert_int_equal(ask(VIRTIO_BLK_GET_ID, 0, 19, true), VIRTIO_BLK_IOERR);
    assert_int_equal(ask(77, 0, 512, true), VIRTIO_BLK_UNSUPP);
    assert_int_equal(ask(VIRTIO_BLK_FLUSH, 0, 0, true), VIRTIO_BLK_OK);
    assert_int_equal(disk.flushed, 1);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    memset(buffer(DATA), 0x5c, 1024);
    assert_int_equal(ask(VIRTIO_BLK_OUT, 2, 1024, false), VIRTIO_BLK_OK);
    assert_int_equal(driver_written(&driver, 0, 0), 1);
    assert_int_equal(disk.bytes[1023], 0);
    assert_int_equal(disk.bytes[1024], 0x5c);
    memset(buffer(DATA), 0, 1024);
    assert_int_equal(ask(VIRTIO_BLK_IN, 3, 512, true), VIRTIO_BLK_OK);
    assert_int_equal(driver_written(&driver, 0, 1), 513);
    assert_int_equal(*buffer(DATA), 0x5c);
    assert_int_equal(driver.fake.edges, 2); /* an interrupt each */
    disk.code = -EIO;
    assert_int_equal(ask(VIRTIO_BLK_IN, 3, 512, true), VIRTIO_BLK_IOERR);
}

static void beyond_the_disk(void **state)
{
    static const uint64_t sectors[] = {FAKE_DISK_SIZE / 512, FAKE_DISK_SIZE / 512 - 1, UINT64_MAX,
                                       UINT64_MAX / 512 + 1, 1ull << 63};

    (void)state;
    for (unsigned i = 0; i < sizeof sectors / sizeof sectors[0]; i++) {
        assert_int_equal(ask(VIRTIO_BLK_IN, sectors[i], 1024, true), VIRTIO_BLK_IOERR);
        assert_int_equal(ask(VIRTIO_BLK_OUT, sectors[i], 1024, false), VIRTIO_BLK_IOERR);
    }
    assert_int_equal(ask(VIRTIO_BLK_IN, 0, 100, true), VIRTIO_BLK_IOERR); /* no whole sector */
    disk.disk.read_only = true;
    assert_int_equal(ask(VIRTIO_BLK_OUT, 0, 512, false), VIRTIO_BLK_IOERR);
}

static uint8_t ask_range(uint32_t type, uint64_t sector, uint32_t sectors, uint32_t flags)
{
    struct virtio_blk_range range = {.sector = sector, .sectors = sectors, .flags = flags};

    memcpy(buffer(DATA), &range, sizeof range);
    return ask(type, 0, sizeof range, false);
}

static void ranges(void **state)
{
    (void)state;
    memset(disk.bytes, 0xff, sizeof disk.bytes);
    assert_int_equal(ask_range(VIRTIO_BLK_DISCARD, 1, 1, 0), VIRTIO_BLK_OK);
    assert_int_equal(disk.bytes[511], 0xff);
    assert_int_equal(disk.bytes[512], 0);
    assert_int_equal(ask_range(VIRTIO_BLK_WRITE_ZEROES, 4, 2, VIRTIO_BLK_UNMAP), VIRTIO_BLK_OK);
    assert_int_equal(disk.bytes[4 * 512 + 1023], 0);
    assert_int_equal(ask_range(VIRTIO_BLK_DISCARD, 0, 1, 1), VIRTIO_BLK_UNSUPP);
    assert_int_equal(ask_range(VIRTIO_BLK_WRITE_ZEROES, 0, 1, 2), VIRTIO_BLK_UNSUPP);
    assert_int_equal(ask_range(VIRTIO_BLK_DISCARD, 0, 0, 0), VIRTIO_BLK_IOERR);
    assert_int_equal(ask_range(VIRTIO_BLK_DISCARD, 127, 2, 0), VIRTIO_BLK_IOERR);
    assert_int_equal(ask_range(VIRTIO_BLK_DISCARD, UINT64_MAX, UINT32_MAX, 0), VIRTIO_BLK_IOERR);
    assert_int_equal(ask(VIRTIO_BLK_DISCARD, 0, 15, false), VIRTIO_BLK_IOERR);
}

static void no_header_or_status(void **state)
{
    static const struct driver_part all_read[] = {{HEADER, 16, false}, {DATA, 512, false}},
                                    short_header[] = {{HEADER, 15, false}, {STATUS, 1, true}};

    (void)state;
    driver_offer(&driver, 0, all_read, 2);
    driver_serve(&driver);
    assert_true(driver_get(&driver, VIRTIO_MMIO_STATUS) & VIRTIO_STATUS_NEEDS_RESET);
    assert_int_equal(driver.fake.said, 1);
    assert_non_null(strstr(driver.fake.message, "virtio3 (blk)"));
    for (unsigned i = 0; i < 10; i++) { /* the number of messages is limited */
        driver_set(&driver, VIRTIO_MMIO_STATUS, 0);
        driver_start(&driver, &blk.device);
        driver_offer(&driver, 0, short_header, 2);
        driver_serve(&driver);
    }
    assert_int_equal(driver.fake.said, 4);
    driver_set(&driver, VIRTIO_MMIO_STATUS, 0);
    driver_start(&driver, &blk.device);
    assert_int_equal(ask(VIRTIO_BLK_FLUSH, 0, 0, true), VIRTIO_BLK_OK);
}

/* The vCPU that resets the device waits until the disk no longer writes to the guest's memory. */
static void reset_in_flight(void **state)
{
    uint32_t zero = 0;

    (void)state;
    disk.slow = true;
    memset(disk.bytes, 0x77, 512);
    offer(VIRTIO_BLK_IN, 0, 512, true);
    driver_serve(&driver);
    assert_int_equal(driver_reach(&driver, VIRTIO_MMIO_STATUS, true, &zero), VERDICT_AGAIN);
    assert_int_equal(driver_reach(&driver, VIRTIO_MMIO_STATUS, true, &zero), VERDICT_AGAIN);
    assert_int_equal(driver.fake.woken, 0);
    disk.slow = false;
    driver_serve(&driver);
    assert_int_equal(driver.fake.woken, 1);
    assert_int_equal(driver_reach(&driver, VIRTIO_MMIO_STATUS, true, &zero), VERDICT_RESUME);
    assert_int_equal(driver_used(&driver, 0), 0);
    assert_int_equal(*buffer(STATUS), UNTOUCHED);
    driver_start(&driver, &blk.device);
    assert_int_equal(ask(VIRTIO_BLK_IN, 0, 512, true), VIRTIO_BLK_OK);
}

static void a_pause_waits_and_a_resume_goes_on(void **state)
{
    (void)state;
    disk.slow = true;
    offer(VIRTIO_BLK_IN, 0, 512, true);
    driver_serve(&driver);
    assert_false(virtio_device_ops.quiesce(&blk.device));
    offer(VIRTIO_BLK_IN, 1, 512, true); /* not taken any more */
    driver_serve(&driver);
    assert_int_equal(driver.fake.woken, 1);
    assert_false(virtio_device_ops.quiesce(&blk.device)); /* it was woken for another reason */
    disk.slow = false;
    driver_serve(&driver);
    assert_int_equal(driver.fake.woken, 2);
    assert_true(virtio_device_ops.quiesce(&blk.device));
    assert_int_equal(driver_used(&driver, 0), 1);
    driver.wakes = 0;
    virtio_device_ops.resume(&blk.device);
    assert_int_equal(driver.wakes, 1);
    driver_serve(&driver);
    assert_int_equal(driver_used(&driver, 0), 2);
}

static void another_device_goes_on(void **state)
{
    uint8_t saved[8192];
    struct chunk_writer writer = {.bytes = saved, .room = sizeof saved};
    struct chunk_reader reader;
    struct chunk chunk;
    struct error error;

    (void)state;
    assert_int_equal(ask(VIRTIO_BLK_FLUSH, 0, 0, true), VIRTIO_BLK_OK);
    assert_true(virtio_device_ops.quiesce(&blk.device));
    offer(VIRTIO_BLK_FLUSH, 0, 0, true);
    virtio_device_ops.save(&blk.device, "virtio3 blk", &writer);
    assert_false(writer.full);
    blk.device.kind->close(&blk.device);
    assert_int_equal(blk_init(&blk, &driver.fake.backend, 3, &disk.disk, &error), 0);
    blk.device.wake = driver_wake;
    blk.device.wake_context = &driver;
    driver.wakes = 0;
    reader = (struct chunk_reader){.bytes = saved, .size = writer.used};
    assert_int_equal(chunk_next(&reader, &chunk, &error), 1);
    assert_int_equal(virtio_device_ops.load(&blk.device, &chunk, &error), 0);
    assert_int_equal(driver.wakes, 1);
    driver_serve(&driver);
    assert_int_equal(driver_used(&driver, 0), 2);
    ((uint8_t *)(uintptr_t)chunk.bytes)[8] = 0xff; /* an impossible status */
    ((uint8_t *)(uintptr_t)chunk.bytes)[0] = 0xff; /* features that are not offered */
    assert_int_equal(virtio_device_ops.load(&blk.device, &chunk, &error), -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(it_says_what_it_is),
        TEST(what_is_written_is_read),
        TEST(beyond_the_disk),
        TEST(ranges),
        TEST(no_header_or_status),
        TEST(reset_in_flight),
        TEST(a_pause_waits_and_a_resume_goes_on),
        TEST(another_device_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
