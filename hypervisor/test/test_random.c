/* Unit tests of the guests' random seeds: the block function against RFC 8439, 2.3.2, and all seeds
 * differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/random.h"

static void test_block_of_the_rfc(void **state)
{
    static const uint32_t nonce[3] = {0x09000000, 0x4a000000, 0};
    static const uint32_t expected[16] = {0xe4e7f110, 0x15593bd1, 0x1fdd0f50, 0xc47120a3,
                                          0xc7f4d1c7, 0x0368c033, 0x9aaa2204, 0x4e6cd4c3,
                                          0x466482d2, 0x09aa9f07, 0x05d7c214, 0xa2028bd9,
                                          0xd19c12b5, 0xb94e16de, 0xe883d0cb, 0x4e3c50a2};
    uint8_t key[32];
    uint32_t words[8], out[16];

    (void)state;
    for (unsigned i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)i;
    memcpy(words, key, sizeof words);
    random_block(words, 1, nonce, out);
    assert_memory_equal(out, expected, sizeof out);
}

static void test_not_ready_before_a_seed(void **state)
{
    static const uint8_t little[RANDOM_SEED - 1];

    (void)state;
    assert_false(random_ready());
    random_stir(little, sizeof little);
    assert_false(random_ready());
    random_stir((const uint8_t[RANDOM_SEED]){1}, RANDOM_SEED);
    assert_true(random_ready());
}

static void test_seeds_differ(void **state)
{
    static uint8_t seeds[64][RANDOM_SEED];

    (void)state;
    for (unsigned i = 0; i < 64; i++) {
        if (i % 8 == 7)
            random_stir((const uint8_t *)"the same each time, 32 bytes long", 32);
        random_take(seeds[i]);
        for (unsigned j = 0; j < i; j++)
            assert_memory_not_equal(seeds[i], seeds[j], RANDOM_SEED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block_of_the_rfc),
        cmocka_unit_test(test_not_ready_before_a_seed),
        cmocka_unit_test(test_seeds_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
