/* Unit tests of dev/virtio/rng.c: bytes come, no more than asked for, and a driver that asks for
 * zero bytes breaks its device. */
#include "dev/virtio/rng.h"
#include "virtio_driver.h"

static struct driver driver;
static struct rng rng;

static int set_up(void **state)
{
    (void)state;
    driver_memory(&driver);
    rng_init(&rng, &driver.fake.backend, 0);
    driver_start(&driver, &rng.device);
    return 0;
}

static void bytes_come(void **state)
{
    static const struct driver_part parts[] = {{0, 10, true}, {100, 54, true}};

    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        memset(driver.ram + DRIVER_BUFFER, 0, 200);
        driver_offer(&driver, 0, parts, 2);
        driver_serve(&driver);
        assert_int_equal(driver_used(&driver, 0), i + 1);
        assert_int_equal(driver_written(&driver, 0, i), 64);
        assert_int_equal(driver.ram[DRIVER_BUFFER + 9], FAKE_RANDOM);
        assert_int_equal(driver.ram[DRIVER_BUFFER + 10], 0);
        assert_int_equal(driver.ram[DRIVER_BUFFER + 153], FAKE_RANDOM);
        assert_int_equal(driver.ram[DRIVER_BUFFER + 154], 0);
    }
    assert_int_equal(virtio_in_flight(&rng.device.virtio), 0);
}

static void a_large_request_is_cut(void **state)
{
    static const struct driver_part part = {0, 0x10000, true};

    (void)state;
    driver_offer(&driver, 0, &part, 1);
    driver_serve(&driver);
    assert_int_equal(driver_written(&driver, 0, 0), 4096);
    assert_int_equal(driver.ram[DRIVER_BUFFER + 4096], 0);
}

static void nothing_to_write(void **state)
{
    static const struct driver_part part = {0, 16, false};

    (void)state;
    driver_offer(&driver, 0, &part, 1);
    driver_serve(&driver);
    assert_true(driver_get(&driver, VIRTIO_MMIO_STATUS) & VIRTIO_STATUS_NEEDS_RESET);
    assert_int_equal(driver.fake.said, 1);
    driver_set(&driver, VIRTIO_MMIO_STATUS, 0);
    assert_int_equal(virtio_in_flight(&rng.device.virtio), 0);
    driver_start(&driver, &rng.device);
    bytes_come(state);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(bytes_come, set_up),
        cmocka_unit_test_setup(a_large_request_is_cut, set_up),
        cmocka_unit_test_setup(nothing_to_write, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
