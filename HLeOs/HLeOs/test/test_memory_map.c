/* Unit tests of std/memory_map.c: the type of each address, against the definition. */
#include "unit.h"

#include "std/memory_map.h"

enum { SPACE = 64, ROUNDS = 20000, ENABLED = 1 };

/* The definition: the largest type of the entries for this address. */
static uint32_t type_at(const struct boot_memory *map, uint32_t count, uint64_t at)
{
    uint32_t type = 0;

    for (uint32_t i = 0; i < count; i++)
        if ((map[i].attributes & ENABLED) && at >= map[i].base &&
            at - map[i].base < map[i].length && map[i].type > type)
            type = map[i].type;
    return type;
}

static void test_random_maps(void **state)
{
    (void)state;
    srand(6);
    for (int round = 0; round < ROUNDS; round++) {
        struct boot_memory map[BOOT_MEMORY_MAX], given[BOOT_MEMORY_MAX];
        uint32_t count = (uint32_t)rand() % 12, used;

        for (uint32_t i = 0; i < count; i++)
            map[i] = (struct boot_memory){(uint64_t)rand() % SPACE, (uint64_t)rand() % 20,
                                          (uint32_t)rand() % 5 + 1, (uint32_t)rand() % 8 != 0};
        memcpy(given, map, sizeof map);
        used = memory_map_normalise(map, count);
        for (uint64_t at = 0; at < SPACE + 20; at++)
            assert_int_equal(type_at(map, used, at), type_at(given, count, at));
        for (uint32_t i = 0; i < used; i++) {
            assert_true(map[i].length > 0);
            if (i == 0)
                continue;
            assert_true(map[i].base >= map[i - 1].base + map[i - 1].length);
            assert_true(map[i].base > map[i - 1].base + map[i - 1].length ||
                        map[i].type != map[i - 1].type);
        }
    }
}

static void test_the_end_of_the_address_space(void **state)
{
    struct boot_memory map[BOOT_MEMORY_MAX] = {
        {UINT64_MAX - 0xfff, 0x1000, BOOT_MEMORY_RESERVED, ENABLED}, /* up to the last byte */
        {UINT64_MAX - 0xfff, UINT64_MAX, BOOT_MEMORY_BAD, ENABLED},  /* and beyond it */
        {0, UINT64_MAX, BOOT_MEMORY_USABLE, ENABLED},
    };

    (void)state;
    assert_int_equal(memory_map_normalise(map, 3), 2);
    assert_int_equal(map[0].type, BOOT_MEMORY_USABLE);
    assert_int_equal(map[0].length, UINT64_MAX - 0xfff);
    assert_int_equal(map[1].type, BOOT_MEMORY_BAD);
}

/* 95 ranges inside a usable one make 191 ranges: the lowest ones are kept, and are correct. */
static void test_more_ranges_than_there_is_room_for(void **state)
{
    struct boot_memory map[BOOT_MEMORY_MAX];
    uint32_t used;

    (void)state;
    map[0] = (struct boot_memory){0, 1 << 20, BOOT_MEMORY_USABLE, ENABLED};
    for (uint32_t i = 1; i < BOOT_MEMORY_MAX; i++)
        map[i] = (struct boot_memory){(BOOT_MEMORY_MAX - i) * 100, 10, BOOT_MEMORY_ACPI, ENABLED};
    used = memory_map_normalise(map, BOOT_MEMORY_MAX);
    assert_int_equal(used, BOOT_MEMORY_MAX);
    for (uint32_t i = 0; i < used; i++)
        assert_int_equal(map[i].type, i % 2 == 0 ? BOOT_MEMORY_USABLE : BOOT_MEMORY_ACPI);
    assert_int_equal(map[used - 1].base + map[used - 1].length, 48 * 100 + 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_maps),
        cmocka_unit_test(test_the_end_of_the_address_space),
        cmocka_unit_test(test_more_ranges_than_there_is_room_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
