/* Unit tests of common/crc32.c: the published check value, and the CRC of pieces against that of
 * the whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/crc32.h"

static void test_known_values(void **state)
{
    (void)state;
    assert_int_equal(crc32_update(0, "", 0), 0);
    assert_int_equal(crc32_update(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(crc32_update(0, "a", 1), 0xe8b7be43);
}

static void test_pieces(void **state)
{
    const char text[] = "The quick brown fox jumps over the lazy dog";
    uint32_t whole = crc32_update(0, text, strlen(text));

    (void)state;
    assert_int_equal(whole, 0x414fa339);
    for (size_t cut = 0; cut <= strlen(text); cut++)
        assert_int_equal(crc32_update(crc32_update(0, text, cut), text + cut, strlen(text) - cut),
                         whole);
}

static void test_every_flipped_bit_shows(void **state)
{
    uint8_t bytes[64] = {0};
    uint32_t good = crc32_update(0, bytes, sizeof bytes);

    (void)state;
    for (unsigned bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(crc32_update(0, bytes, sizeof bytes), good);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_every_flipped_bit_shows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
