/* Unit tests of std/io.c. */
#include "unit.h"

#include "std/io.h"

static void test_split(void **state)
{
    char line[] = "  run \t hello now ";
    char *words[2];

    (void)state;
    assert_int_equal(io_split(line, words, 2), 2);
    assert_string_equal(words[0], "run");
    assert_memory_equal(words[1], "hello", 5);
    line[0] = '\0';
    assert_int_equal(io_split(line, words, 2), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_split)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
