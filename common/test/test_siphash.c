/* Unit tests of common/siphash.c: the first vectors of the authors' reference (key 00 01 .. 0f,
 * text 00 01 ...), and a change of each bit of text, length and secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/siphash.h"

static uint8_t secret[SIPHASH_SECRET], text[64];

static int set_up(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)i;
    memcpy(secret, text, sizeof secret);
    return 0;
}

static void test_reference_vectors(void **state)
{
    static const uint8_t expected[][SIPHASH_SIZE] = {
        {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02,
         0x93},
        {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc,
         0x45},
        {0x81, 0x77, 0x22, 0x8d, 0xa4, 0xa4, 0x5d, 0xc7, 0xfc, 0xa3, 0x8b, 0xde, 0xf6, 0x0a, 0xff,
         0xe4},
    };
    uint8_t result[SIPHASH_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        siphash(secret, text, i, result);
        assert_memory_equal(result, expected[i], sizeof result);
    }
}

static void test_everything_counts(void **state)
{
    uint8_t good[SIPHASH_SIZE], other[SIPHASH_SIZE];

    (void)state;
    siphash(secret, text, sizeof text, good);
    for (unsigned bit = 0; bit < 8 * sizeof text; bit++) {
        text[bit / 8] ^= (uint8_t)(1 << bit % 8);
        siphash(secret, text, sizeof text, other);
        assert_memory_not_equal(good, other, sizeof good);
        text[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (unsigned bit = 0; bit < 8 * sizeof secret; bit++) {
        secret[bit / 8] ^= (uint8_t)(1 << bit % 8);
        siphash(secret, text, sizeof text, other);
        assert_memory_not_equal(good, other, sizeof good);
        secret[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t size = 0; size < sizeof text; size++) {
        siphash(secret, text, size, other);
        assert_memory_not_equal(good, other, sizeof good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_reference_vectors, set_up),
        cmocka_unit_test_setup(test_everything_counts, set_up),
    };

    return cmocka_run_group_tests_name("siphash", tests, NULL, NULL);
}
