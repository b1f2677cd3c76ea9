/* Unit tests of common/fmt.c: each result is compared with that of the C library's snprintf, so
 * that the two cannot differ. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/fmt.h"

/* The tests include flags that cancel each other. */
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-extra-args"

#define same(...)                                                                                  \
    do {                                                                                           \
        char ours[256], theirs[256];                                                               \
        int n = fmt_snprint(ours, sizeof ours, __VA_ARGS__);                                       \
        int m = snprintf(theirs, sizeof theirs, __VA_ARGS__);                                      \
        assert_string_equal(ours, theirs);                                                         \
        assert_int_equal(n, m);                                                                    \
    } while (0)

static void test_integers(void **state)
{
    (void)state;
    same("%d %i %u", -5, 7, 9u);
    same("%d %d", INT_MIN, INT_MAX);
    same("%lld %llu", LLONG_MIN, ULLONG_MAX);
    same("%ld %lu %zu %jd %td", -1L, 2UL, (size_t)3, (intmax_t)-4, (ptrdiff_t)5);
    same("%hhd %hhu %hd %hu", (char)-1, (unsigned char)255, (short)-2, (unsigned short)65535);
    same("%x %X %#x %#X %o %#o", 0xbeefu, 0xBEEFu, 0x1fu, 0x1fu, 8u, 8u);
    same("%#x %d", 0u, 0);
    same("%p", (void *)0x1234);
}

static void test_width_and_precision(void **state)
{
    (void)state;
    same("[%5d] [%-5d] [%05d] [%+d] [% d]", 42, 42, 42, 42, 42);
    same("[%05d] [%-05d] [%+05d]", -42, -42, 42);
    same("[%8.3d] [%-8.3d] [%08.3d]", 5, 5, 5);
    same("[%.0d] [%.d] [%5.0d]", 0, 0, 0);
    same("[%#010x] [%#-10x]", 0xabu, 0xabu);
    same("[%*d] [%-*d] [%.*d]", 6, 1, 6, 2, 3, 7);
    same("[%*d]", -6, 1);
    same("[%016llx]", 0xffffffff80000000ull);
}

static void test_text(void **state)
{
    (void)state;
    same("[%s] [%10s] [%-10s] [%.2s] [%10.2s]", "abc", "abc", "abc", "abc", "abc");
    same("[%c] [%3c] [%-3c]", 'x', 'y', 'z');
    same("100%%");
    same("%s", "");
    same("plain");
}

static void test_binary(void **state)
{
    char text[80];

    (void)state;
    assert_int_equal(fmt_snprint(text, sizeof text, "%s", "x"), 1);
    fmt_snprint(text, sizeof text, "%b %#b %08b", 5u, 5u, 5u);
    assert_string_equal(text, "101 0b101 00000101");
    fmt_snprint(text, sizeof text, "[%q] %");
    assert_string_equal(text, "[%q] %");
}

static void test_truncation(void **state)
{
    char text[4] = "zzz";

    (void)state;
    assert_int_equal(fmt_snprint(text, sizeof text, "%s", "abcdef"), 6);
    assert_string_equal(text, "abc");
    assert_int_equal(fmt_snprint(text, 1, "%d", 123), 3);
    assert_string_equal(text, "");
    assert_int_equal(fmt_snprint(NULL, 0, "%d", 123), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),   cmocka_unit_test(test_width_and_precision),
        cmocka_unit_test(test_text),       cmocka_unit_test(test_binary),
        cmocka_unit_test(test_truncation),
    };

    return cmocka_run_group_tests_name("fmt", tests, NULL, NULL);
}
