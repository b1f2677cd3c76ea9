/* Unit tests of common/exception.c: names, and which exceptions push an error code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/exception.h"

static void names_each_exception(void **state)
{
    (void)state;
    assert_string_equal(exception_words(EXCEPTION_DE), "divide error");
    assert_string_equal(exception_words(14), "page fault");
    assert_string_equal(exception_words(EXCEPTION_CP), "control protection exception");
}

static void knows_no_others(void **state)
{
    static const int none[] = {EXCEPTION_NONE, 9, 15, 22, 31, 32, 0x80, INT32_MAX, INT32_MIN};

    (void)state;
    for (unsigned i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_null(exception_words(none[i]));
        assert_false(exception_has_error(none[i]));
    }
}

/* Compares with a mask of those with an error code in SDM volume 3, table 6-1. */
static void tells_who_pushes_an_error_code(void **state)
{
    const uint32_t mask = 1u << 8 | 0x1fu << 10 | 1u << 17 | 1u << 21;

    (void)state;
    for (int vector = 0; vector < 32; vector++)
        assert_int_equal(exception_has_error(vector), mask >> vector & 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_each_exception),
        cmocka_unit_test(knows_no_others),
        cmocka_unit_test(tells_who_pushes_an_error_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
