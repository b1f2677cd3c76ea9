/* Unit tests of common/symbols.c, with a table like that of mk/symbols.awk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/symbols.h"

/* Code of 100 bytes that is never run: entry at 0, middle at 16, last at 96. */
__asm__(".pushsection .rodata\n"
        ".balign 16\n"
        ".globl text_begin, text_end, symbols_table, symbols_count, symbols_names\n"
        "text_begin: .skip 100\n"
        "text_end: .balign 4\n"
        "symbols_table: .long 0, 0, 16, 6, 96, 13\n"
        "symbols_count: .long 3\n"
        "symbols_names: .asciz \"entry\", \"middle\", \"last\"\n"
        ".popsection\n");

extern const char text_begin[], text_end[];

static void check(uintptr_t address, const char *name, uintptr_t offset)
{
    struct symbol found = symbols_find(address);

    assert_string_equal(found.name, name);
    assert_int_equal(found.offset, offset);
}

static void finds_the_function_around_an_address(void **state)
{
    uintptr_t text = (uintptr_t)text_begin;

    (void)state;
    check(text, "entry", 0);
    check(text + 15, "entry", 15);
    check(text + 16, "middle", 0);
    check(text + 95, "middle", 79);
    check(text + 96, "last", 0);
    check(text + 99, "last", 3);
}

static void knows_what_is_no_code(void **state)
{
    (void)state;
    check((uintptr_t)text_begin - 1, "?", 0);
    check((uintptr_t)text_end, "?", 0);
    check(0, "?", 0);
    check(UINTPTR_MAX, "?", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_function_around_an_address),
        cmocka_unit_test(knows_what_is_no_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
