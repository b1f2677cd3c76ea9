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
    driver_set(&driver, VIRTIO_MMIO_CONFIG, 7); /* not the driver's to write */
    assert_int_equal(driver_get(&driver, VIRTIO_MMIO_CONFIG), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reports, set_up),
        cmocka_unit_test_setup(pages, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
