/* The search for a symbol by its address (lib/symbols.c). */
#include "lib/symbols.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char map[] = "0000000080200000 T first\n"
                          "0000000080200010 t second\t[module]\n"
                          "ffffffff80000000 T last";

static const char *find(const char *text, uint64_t address)
{
    static char found[64];
    struct symbol s;

    if (!symbols_find(text, strlen(text), address, &s))
        return "none";
    snprintf(found, sizeof found, "%.*s+%llx", (int)s.length, s.name,
             (unsigned long long)(address - s.address));
    return found;
}

static void test_find(void **state)
{
    (void)state;
    assert_string_equal(find(map, 0x801fffff), "none");
    assert_string_equal(find(map, 0x80200000), "first+0");
    assert_string_equal(find(map, 0x8020000f), "first+f");
    assert_string_equal(find(map, 0x80200010), "second+0");
    assert_string_equal(find(map, 0xffffffff7fffffff), "second+fffffffeffdfffef");
    assert_string_equal(find(map, ~0ul), "last+7fffffff");
}

static void test_labels(void **state)
{
    static const char list[] = "10 t .LBB0_1\n20 T one\n24 t .LBB1_1\n28 t $x\n30 T two\n";

    (void)state;
    assert_string_equal(find(list, 0x2a), "one+a");
    assert_string_equal(find(list, 0x30), "two+0");
    assert_string_equal(find(list, 0x12), ".LBB0_1+2"); /* no other symbol is below it */
}

static void test_what_is_no_list(void **state)
{
    (void)state;
    assert_string_equal(find("", 5), "none");
    assert_string_equal(find("\n\n\n", 5), "none");
    assert_string_equal(find("1 T", 5), "none");
    assert_string_equal(find("1 T ", 5), "none");
    assert_string_equal(find("hello world", 5), "none");
    assert_string_equal(find("00000000000000001 T seventeen\n", 5), "none");
}

/* The search ends in text without newlines. */
static void test_long_lines(void **state)
{
    static char text[8192];
    size_t n = (size_t)snprintf(text, sizeof text, "10 T one\n20 T ");

    (void)state;
    memset(text + n, 'x', 500);
    strcpy(text + n + 500, "\n30 T two\n");
    assert_string_equal(find(text, 0x30), "two+0");
    assert_string_equal(find(text, 0x10), "one+0");
    memset(text + n, 'x', 4000);
    strcpy(text + n + 4000, "\n30 T two\n");
    assert_string_equal(find(text, 0x30), "none");
    assert_string_equal(find(text, 0x10), "none");
}

/* Finds each of many symbols, by its address and by one in its middle. */
static void test_many(void **state)
{
    static char text[64 * 1024];
    size_t n = 0;

    (void)state;
    for (unsigned i = 1; i <= 1000; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%x T name%u\n", i * 16, i);
    for (unsigned i = 1; i <= 1000; i++) {
        char name[32];

        snprintf(name, sizeof name, "name%u+7", i);
        assert_string_equal(find(text, i * 16 + 7), name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),       cmocka_unit_test(test_labels),
        cmocka_unit_test(test_long_lines), cmocka_unit_test(test_what_is_no_list),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
