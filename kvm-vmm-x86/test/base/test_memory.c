/* Unit tests of memory.c: a range is RAM as a whole or not at all. */
#include <string.h>

#include "base/memory.h"
#include "cmocka_all.h"

static void test_bounds(void **state)
{
    static uint8_t ram[0x3000];
    struct memory m;

    (void)state;
    memory_init(&m, 0x40000, sizeof ram, ram);
    assert_ptr_equal(memory_at(&m, 0x40000, sizeof ram), ram);
    assert_ptr_equal(memory_at(&m, 0x42fff, 1), ram + 0x2fff);
    assert_null(memory_at(&m, 0x3ffff, 1));
    assert_null(memory_at(&m, 0x3ffff, 2));
    assert_null(memory_at(&m, 0x43000, 1));
    assert_null(memory_at(&m, 0x43000, 0));
    assert_null(memory_at(&m, 0x42fff, 2));
    assert_null(memory_at(&m, 0x42fff, UINT64_MAX));
    assert_null(memory_at(&m, UINT64_MAX, 2));
    assert_int_equal(memory_end(&m), 0x43000);
}

static void test_copies_are_whole_or_nothing(void **state)
{
    uint8_t ram[16] = {0}, bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8}, back[8] = {0};
    struct memory m;

    (void)state;
    memory_init(&m, 0, sizeof ram, ram);
    assert_true(memory_write(&m, 8, bytes, 8));
    assert_true(memory_read(&m, 8, back, 8));
    assert_memory_equal(bytes, back, 8);
    assert_false(memory_write(&m, 9, bytes, 8));
    assert_int_equal(ram[9], 2);
    memset(back, 0, sizeof back);
    assert_false(memory_read(&m, 12, back, 8));
    assert_int_equal(back[0], 0);
}

/* The host address is never followed here, so a small array stands for gigabytes. */
static void test_hole(void **state)
{
    static uint8_t ram[1];
    struct memory m;

    (void)state;
    memory_init(&m, 0, 5 * GIB, ram);
    assert_int_equal(m.count, 2);
    assert_int_equal(memory_low_end(&m), MEMORY_HOLE_START);
    assert_int_equal(m.regions[1].base, MEMORY_HOLE_END);
    assert_int_equal(memory_end(&m), MEMORY_HOLE_END + 5 * GIB - MEMORY_HOLE_START);
    assert_null(memory_at(&m, MEMORY_HOLE_START, 1));
    assert_null(memory_at(&m, MEMORY_HOLE_START - 1, 2));
    assert_null(memory_at(&m, MEMORY_HOLE_END - 1, 1));
    assert_ptr_equal(memory_at(&m, MEMORY_HOLE_END, 1), ram + MEMORY_HOLE_START);
    memory_init(&m, 0, MEMORY_HOLE_START, ram);
    assert_int_equal(m.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_copies_are_whole_or_nothing),
        cmocka_unit_test(test_hole),
    };

    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
