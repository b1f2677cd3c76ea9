/* Unit tests of near.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/near.h"

static unsigned distance(const char *a, const char *b)
{
    unsigned there = near_distance(a, strlen(a), b, strlen(b));

    assert_int_equal(near_distance(b, strlen(b), a, strlen(a)), there);
    return there;
}

static void test_distances(void **state)
{
    (void)state;
    assert_int_equal(distance("", ""), 0);
    assert_int_equal(distance("", "run"), 3);
    assert_int_equal(distance("run", "run"), 0);
    assert_int_equal(distance("rnu", "run"), 1);          /* swapped */
    assert_int_equal(distance("ru", "run"), 1);           /* left out */
    assert_int_equal(distance("timeeout", "timeout"), 1); /* added */
    assert_int_equal(distance("timeaut", "timeout"), 1);  /* replaced */
    assert_int_equal(distance("tiemuot", "timeout"), 2);
    assert_int_equal(distance("disk", "share"), 5);
    assert_int_equal(distance("abcdefghijklmnopqrstuvwxyz", "run"), NEAR_FAR);
}

static const char *nearest(const char *word, size_t length)
{
    static const char *const words[] = {"timeout", "status", "stats", "run", "m", "log-size"};
    struct near near;

    near_begin(&near, word, length);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        near_try(&near, words[i]);
    return near.best;
}

static void test_the_nearest(void **state)
{
    (void)state;
    assert_string_equal(nearest("tiemout=5", 7), "timeout"); /* of a text, its first letters */
    assert_string_equal(nearest("stauts", 6), "status");
    assert_string_equal(nearest("stat", 4), "stats"); /* and not the one that is two away */
    assert_string_equal(nearest("rnu", 3), "run");
    assert_string_equal(nearest("logsize", 7), "log-size");
    assert_null(nearest("", 0));
    assert_null(nearest("x", 1)); /* all of it would be a mistake */
    assert_null(nearest("rxx", 3));
    assert_null(nearest("something", 9));
    assert_null(nearest("abcdefghijklmnopqrstuvwxyz", 26));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distances),
        cmocka_unit_test(test_the_nearest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
