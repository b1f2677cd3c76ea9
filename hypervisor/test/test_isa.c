/* Unit tests of a hart's ISA string, and of a list of extensions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/isa.h"

static void test_string(void **state)
{
    const char *isa = "rv64imafdch_zicsr_zba_sstc";

    (void)state;
    assert_true(isa_has(isa, "h") && isa_has(isa, "i") && isa_has(isa, "zba") &&
                isa_has(isa, "sstc"));
    assert_false(isa_has(isa, "v") || isa_has(isa, "z") || isa_has(isa, "zb") ||
                 isa_has(isa, "sst"));
    assert_false(isa_has("", "h") || isa_has("x", "h") || isa_has("rv", "h"));
}

static void test_list(void **state)
{
    static const char names[] = "i\0m\0zicsr\0h\0sstc\0c";
    char isa[ISA_SIZE];

    (void)state;
    isa_join(names, sizeof names, isa);
    assert_string_equal(isa, "rv64imhc_zicsr_sstc");
    isa_join("h", 1, isa); /* the last name without its terminating zero */
    assert_string_equal(isa, "rv64h");
    isa_join("", 0, isa);
    assert_string_equal(isa, "rv64");
}

static void test_list_too_long(void **state)
{
    static char names[4 * ISA_SIZE];
    char isa[ISA_SIZE];

    (void)state;
    memset(names, 'x', sizeof names); /* a name longer than the buffer */
    isa_join(names, sizeof names, isa);
    assert_string_equal(isa, "rv64");
    for (size_t i = 3; i < sizeof names; i += 4)
        names[i] = '\0';
    isa_join(names, sizeof names, isa);
    assert_true(strlen(isa) < ISA_SIZE && isa_has(isa, "xxx"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_string),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_list_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
