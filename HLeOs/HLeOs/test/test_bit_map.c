/* Unit tests of std/bit_map.c, against a plain array of bools. */
#include "unit.h"

#include "std/bit_map.h"

enum { BITS = 5000, WORDS = (BITS + 63) / 64, ROUNDS = 20000 };

static uint64_t words[WORDS], full[(WORDS + 63) / 64];
static bool model[BITS];

static size_t model_find(size_t from, size_t count)
{
    for (size_t k = 0; k < BITS; k++) {
        size_t at = (from + k) % BITS, n = 0;

        while (n < count && at + n < BITS && !model[at + n])
            n++;
        if (n == count)
            return at;
    }
    return BIT_MAP_NONE;
}

static void check_same(const struct bit_map *map)
{
    size_t set = 0;

    for (size_t i = 0; i < BITS; i++) {
        assert_int_equal(bit_map_get(map, i), model[i]);
        set += model[i];
    }
    assert_int_equal(bit_map_count_set(map), set);
    for (size_t i = 0; map->full != NULL && i < WORDS; i++)
        assert_int_equal(full[i / 64] >> i % 64 & 1, words[i] == ~UINT64_C(0));
}

/* Mostly full, so that searches go far. */
static void compare(struct bit_map map)
{
    memset(words, 0, sizeof words);
    memset(model, 0, sizeof model);
    srand(1);
    for (int round = 0; round < ROUNDS; round++) {
        size_t at = (size_t)rand() % BITS, count = 1 + (size_t)rand() % (BITS - at);
        size_t wanted = 1 + (size_t)rand() % 130;
        bool set = rand() % 4 > 0;

        count = count > 400 ? 1 + count % (set ? 400 : 90) : count;
        (set ? bit_map_set_run : bit_map_clear_run)(&map, at, count);
        for (size_t i = at; i < at + count; i++)
            model[i] = set;
        assert_int_equal(bit_map_find_clear_run(&map, at, wanted), model_find(at, wanted));
        if (round % 500 == 0)
            check_same(&map);
    }
    check_same(&map);
}

static void test_against_a_model(void **state)
{
    (void)state;
    compare((struct bit_map){.words = words, .bits = BITS});
}

static void test_with_a_map_above(void **state)
{
    (void)state;
    compare((struct bit_map){.words = words, .bits = BITS, .full = full});
}

static void test_edges(void **state)
{
    uint64_t two[2] = {~UINT64_C(0), ~UINT64_C(0)};
    struct bit_map map = {.words = two, .bits = 128};

    (void)state;
    assert_int_equal(bit_map_find_clear_run(&map, 0, 1), BIT_MAP_NONE);
    assert_int_equal(bit_map_find_clear_run(&map, 0, 0), BIT_MAP_NONE);
    assert_int_equal(bit_map_find_clear_run(&map, 500, 129), BIT_MAP_NONE);
    bit_map_clear(&map, 127);
    assert_int_equal(bit_map_find_clear_run(&map, 0, 1), 127);
    assert_int_equal(bit_map_find_clear_run(&map, 128, 1), 127);
    assert_int_equal(bit_map_next_set(&map, 127, 128), 128);
    bit_map_clear_run(&map, 0, 128);
    assert_int_equal(bit_map_find_clear_run(&map, 64, 128), 0);
    assert_int_equal(bit_map_next_set(&map, 0, 100), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_model),
        cmocka_unit_test(test_with_a_map_above),
        cmocka_unit_test(test_edges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
