/* Unit tests of dev/bus.c: claims, unclaimed accesses, accesses wider than a device. */
#include <string.h>

#include "cmocka_all.h"
#include "dev/bus.h"

/* A device that records its accesses, and reads as the offset. */
struct probe {
    unsigned accesses;
    uint64_t offset;
    uint8_t size;
    bool stop;
};

static enum verdict probe_access(void *device, struct bus_access *access)
{
    struct probe *p = device;

    p->accesses++;
    p->offset = access->offset;
    p->size = access->size;
    if (!access->write)
        memset(access->data, (int)access->offset, access->size);
    return p->stop ? VERDICT_STOP : VERDICT_RESUME;
}

static const struct bus_ops byte_ops = {.name = "bytes", .width = 1, .access = probe_access};
static const struct bus_ops word_ops = {.name = "words", .width = 4, .access = probe_access};

static struct bus_access read_of(uint8_t *data, uint8_t size)
{
    return (struct bus_access){.data = data, .size = size};
}

static void test_claims(void **state)
{
    struct bus bus = {0};
    struct probe p = {0};
    struct error e;

    (void)state;
    assert_int_equal(bus_claim(&bus, BUS_PIO, 0x3f8, 8, &byte_ops, &p, &e), 0);
    assert_int_equal(bus_claim(&bus, BUS_MMIO, 0x3f8, 8, &byte_ops, &p, &e), 0);
    assert_int_equal(bus_claim(&bus, BUS_PIO, 0x3ff, 1, &byte_ops, &p, &e), -1);
    assert_int_equal(bus_claim(&bus, BUS_PIO, 0x3f0, 9, &byte_ops, &p, &e), -1);
    assert_int_equal(bus_claim(&bus, BUS_PIO, 0x3f0, 8, &byte_ops, &p, &e), 0);
    assert_int_equal(bus_claim(&bus, BUS_PIO, 0x500, 0, &byte_ops, &p, &e), -1);
    assert_int_equal(bus_claim(&bus, BUS_MMIO, UINT64_MAX, 2, &byte_ops, &p, &e), -1);
    for (uint64_t i = bus.count; i < BUS_RANGES_MAX; i++)
        assert_int_equal(bus_claim(&bus, BUS_PIO, 0x1000 + i, 1, &byte_ops, &p, &e), 0);
    assert_int_equal(bus_claim(&bus, BUS_PIO, 0x9000, 1, &byte_ops, &p, &e), -1);
}

static void test_nobody_there(void **state)
{
    struct bus bus = {0};
    uint8_t data[4] = {0};
    struct bus_access a = read_of(data, 4);

    (void)state;
    assert_int_equal(bus_access(&bus, BUS_PIO, 0x80, &a), VERDICT_RESUME);
    assert_memory_equal(data, "\xff\xff\xff\xff", 4);
    a.write = true;
    assert_int_equal(bus_access(&bus, BUS_PIO, 0x80, &a), VERDICT_RESUME);
}

static void test_wide_accesses(void **state)
{
    struct bus bus = {0};
    struct probe p = {0};
    struct error e;
    uint8_t data[4] = {0};
    struct bus_access a = read_of(data, 4);

    (void)state;
    assert_int_equal(bus_claim(&bus, BUS_PIO, 0x3f8, 8, &byte_ops, &p, &e), 0);
    assert_int_equal(bus_claim(&bus, BUS_PIO, 0x500, 4, &word_ops, &p, &e), 0);
    assert_int_equal(bus_access(&bus, BUS_PIO, 0x3f9, &a), VERDICT_RESUME);
    assert_memory_equal(data, "\1\2\3\4", 4);
    assert_int_equal(p.accesses, 4);
    assert_int_equal(bus_access(&bus, BUS_PIO, 0x3fe, &a), VERDICT_RESUME);
    assert_memory_equal(data, "\6\7\xff\xff", 4); /* the last two belong to no device */
    p.accesses = 0;
    assert_int_equal(bus_access(&bus, BUS_PIO, 0x500, &a), VERDICT_RESUME);
    assert_int_equal(p.accesses, 1);
    assert_int_equal(p.size, 4);
    p.stop = true;
    p.accesses = 0;
    assert_int_equal(bus_access(&bus, BUS_PIO, 0x3f8, &a), VERDICT_STOP);
    assert_int_equal(p.accesses, 1); /* nothing after the stop */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_wide_accesses),
    };

    return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
