/* Unit tests of fuzz/mutate.c: inputs stay within their room, and a seed determines all changes. */
#include <string.h>

#include "cmocka_all.h"
#include "fuzz/mutate.h"

enum { ROOM = 24, RUNS = 20000 };

static struct mutate m;
static uint8_t bytes[ROOM + 8], other[8] = "abcdefg";

static void test_room(void **state)
{
    size_t size = 0, longest = 0, empty = 0;

    (void)state;
    mutate_init(&m, 7, ROOM);
    mutate_add_value(&m, 0x1122334455667788, 8);
    memset(bytes, 0xee, sizeof bytes);
    for (int i = 0; i < RUNS; i++) {
        size = mutate_input(&m, bytes, size, other, sizeof other);
        assert_true(size <= ROOM);
        longest = size > longest ? size : longest;
        empty += size == 0;
    }
    assert_int_equal(longest, ROOM);
    assert_true(empty < RUNS / 2);
    for (size_t i = ROOM; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], 0xee);
}

static uint64_t sum_of(uint64_t seed)
{
    uint64_t sum = 0;
    size_t size = 0;

    mutate_init(&m, seed, ROOM);
    memset(bytes, 0, sizeof bytes);
    for (int i = 0; i < 200; i++) {
        size = mutate_input(&m, bytes, size, other, sizeof other);
        for (size_t at = 0; at < size; at++)
            sum = sum * 31 + bytes[at];
    }
    return sum;
}

static void test_seed(void **state)
{
    (void)state;
    assert_int_equal(sum_of(1), sum_of(1));
    assert_int_not_equal(sum_of(1), sum_of(2));
    assert_int_not_equal(sum_of(0), sum_of(1));
}

/* A value that the code compares with soon appears in an input. */
static void test_values(void **state)
{
    int runs = 0;

    (void)state;
    mutate_init(&m, 1, ROOM);
    for (unsigned i = 0; i < 2 * MUTATE_VALUES_MAX; i++)
        mutate_add_value(&m, i, 4);
    assert_int_equal(m.value_count, MUTATE_VALUES_MAX);
    mutate_init(&m, 1, ROOM);
    mutate_add_value(&m, 0x314d564b, 4);
    mutate_add_value(&m, 0x314d564b, 4);
    assert_int_equal(m.value_count, 1);
    for (size_t size = 0; memcmp(bytes, "KVM1", 4) != 0 || size < 4; runs++) {
        assert_true(runs < 1000);
        size = mutate_input(&m, bytes, 0, other, sizeof other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_seed),
        cmocka_unit_test(test_values),
    };

    return cmocka_run_group_tests_name("mutate", tests, NULL, NULL);
}
