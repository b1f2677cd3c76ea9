/* Unit tests of dev/virtio/balloon.c: whole pages go back to the host, and no others. */
#include "dev/virtio/balloon.h"
#include "virtio_driver.h"

enum { PAGE = 4096 };

static struct driver driver;
static struct balloon balloon;

static int set_up(void **state)
{
    (void)state;
    driver_memory(&driver);
    balloon_init(&balloon, &driver.fake.backend, 0);
    driver_start(&driver, &balloon.device);
    memset(driver.ram + DRIVER_BUFFER, 0x5a, DRIVER_RAM - DRIVER_BUFFER);
    return 0;
}

static const uint8_t *buffer(uint32_t at)
{
    return driver.ram + DRIVER_BUFFER + at;
}

static void reports(void **state)
{
    static const struct driver_part parts[] = {{PAGE, 2 * PAGE, true},
                                               {5 * PAGE + 1, 3 * PAGE, true}};

    (void)state;
    driver_offer(&driver, VIRTIO_BALLOON_REPORTING, parts, 2);
    driver_serve(&driver);
    assert_int_equal(driver_used(&driver, VIRTIO_BALLOON_REPORTING), 1);
    assert_int_equal(*buffer(PAGE - 1), 0x5a);
    assert_int_equal(*buffer(PAGE), 0);
    assert_int_equal(*buffer(3 * PAGE - 1), 0);
    assert_int_equal(*buffer(3 * PAGE), 0x5a);
    assert_int_equal(*buffer(6 * PAGE - 1), 0x5a); /* not a whole page */
    assert_int_equal(*buffer(6 * PAGE), 0);
    assert_int_equal(*buffer(8 * PAGE - 1), 0);
    assert_int_equal(*buffer(8 * PAGE), 0x5a);
}

static void pages(void **state)
{
    static const uint32_t numbers[] = {(DRIVER_BUFFER >> 12) + 2, DRIVER_RAM >> 12, UINT32_MAX};
    static const struct driver_part part = {0, sizeof numbers, false};

    (void)state;
    memcpy(driver.ram + DRIVER_BUFFER, numbers, sizeof numbers);
    driver_offer(&driver, VIRTIO_BALLOON_DEFLATE, &part, 1);
    driver_serve(&driver);
    assert_int_equal(*buffer(2 * PAGE), 0x5a);
    driver_offer(&driver, VIRTIO_BALLOON_INFLATE, &part, 1);
    driver_serve(&driver);
    assert_int_equal(driver_used(&driver, VIRTIO_BALLOON_INFLATE), 1);
    assert_int_equal(*buffer(2 * PAGE - 1), 0x5a);
    assert_int_equal(*buffer(2 * PAGE), 0);
    assert_int_equal(*buffer(3 * PAGE - 1), 0);
    assert_int_equal(*buffer(3 * PAGE), 0x5a);
    driver_set(&driver, VIRTIO_MMIO_CONFIG + 4, 7);
    assert_int_equal(driver_get(&driver, VIRTIO_MMIO_CONFIG + 4), 7);
    driver_set(&driver, VIRTIO_MMIO_CONFIG, 7); /* the driver cannot write it */
    assert_int_equal(driver_get(&driver, VIRTIO_MMIO_CONFIG), 0);
}

enum { REPORTS = 10 };

static void offer_reports(void)
{
    for (uint32_t i = 0; i < REPORTS; i++)
        driver_offer(&driver, VIRTIO_BALLOON_REPORTING, &(struct driver_part){i * PAGE, PAGE, true},
                     1);
    assert_true(virtio_device_run(&balloon.device)); /* some of them */
    assert_in_range(driver_used(&driver, VIRTIO_BALLOON_REPORTING), 1, REPORTS - 1);
}

/* Pages that the driver had reported before belong to it again, and do not change. */
static void a_reset_among_reports(void **state)
{
    unsigned done;

    (void)state;
    offer_reports();
    done = driver_used(&driver, VIRTIO_BALLOON_REPORTING);
    driver_set(&driver, VIRTIO_MMIO_STATUS, 0);
    driver_serve(&driver);
    for (unsigned i = 0; i < REPORTS; i++)
        assert_int_equal(*buffer(i * PAGE), i < done ? 0 : 0x5a);
    driver_start(&driver, &balloon.device);
    driver_serve(&driver);
    assert_int_equal(*buffer(done * PAGE), 0x5a);
}

/* The restored device serves the rest. */
static void a_snapshot_among_reports(void **state)
{
    static struct balloon other;
    uint8_t saved[4096];
    struct chunk_writer writer = {.bytes = saved, .room = sizeof saved};
    struct chunk_reader reader;
    struct chunk chunk;
    struct error error;
    unsigned done;

    (void)state;
    offer_reports();
    done = driver_used(&driver, VIRTIO_BALLOON_REPORTING);
    assert_true(virtio_device_ops.quiesce(&balloon.device));
    driver_serve(&driver);
    assert_int_equal(driver_used(&driver, VIRTIO_BALLOON_REPORTING), done);
    virtio_device_ops.save(&balloon.device, "balloon", &writer);
    balloon_init(&other, &driver.fake.backend, 0);
    driver.device = &other.device;
    other.device.wake = driver_wake;
    other.device.wake_context = &driver;
    reader = (struct chunk_reader){.bytes = saved, .size = writer.used};
    assert_int_equal(chunk_next(&reader, &chunk, &error), 1);
    driver.wakes = 0;
    assert_int_equal(virtio_device_ops.load(&other.device, &chunk, &error), 0);
    assert_int_equal(driver.wakes, 1);
    driver_serve(&driver);
    assert_int_equal(driver_used(&driver, VIRTIO_BALLOON_REPORTING), REPORTS);
    for (unsigned i = 0; i <= REPORTS; i++)
        assert_int_equal(*buffer(i * PAGE), i < REPORTS ? 0 : 0x5a);
}

/* The driver gets the size that the host requests, if the guest is not paused; the host gets the
 * size of the balloon. */
static void is_asked(void **state)
{
    uint64_t asked, given;

    (void)state;
    assert_true(virtio_device_ops.quiesce(&balloon.device));
    driver.wakes = 0;
    balloon_ask(&balloon, 3 * PAGE + 1);
    assert_int_equal(driver.wakes, 1);
    driver_serve(&driver);
    assert_int_equal(driver_get(&driver, VIRTIO_MMIO_CONFIG), 0);
    balloon_read(&balloon, &asked, &given);
    assert_int_equal(asked, 3 * PAGE);
    virtio_device_ops.resume(&balloon.device);
    assert_int_equal(driver.wakes, 2);
    driver_serve(&driver);
    assert_int_equal(driver_get(&driver, VIRTIO_MMIO_CONFIG), 3);
    assert_int_equal(driver_get(&driver, VIRTIO_MMIO_INTERRUPT_STATUS) & 2, 2);
    driver_set(&driver, VIRTIO_MMIO_CONFIG + 4, 2);
    balloon_read(&balloon, &asked, &given);
    assert_int_equal(asked, 3 * PAGE);
    assert_int_equal(given, 2 * PAGE);
    driver_set(&driver, VIRTIO_MMIO_STATUS, 0); /* it is asked again, and has given nothing */
    assert_int_equal(driver_get(&driver, VIRTIO_MMIO_CONFIG), 3);
    assert_int_equal(driver_get(&driver, VIRTIO_MMIO_CONFIG + 4), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reports, set_up),
        cmocka_unit_test_setup(pages, set_up),
        cmocka_unit_test_setup(a_reset_among_reports, set_up),
        cmocka_unit_test_setup(a_snapshot_among_reports, set_up),
        cmocka_unit_test_setup(is_asked, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
