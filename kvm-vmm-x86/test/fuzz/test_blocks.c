/* Unit tests of fuzz/blocks.c: which code is walked, and where no breakpoint may be. */
#include <string.h>

#include "cmocka_all.h"
#include "fuzz/blocks.h"

enum { RAM = 64 * 1024, CODE = 0x1000 };

static uint8_t ram[RAM];
static struct mutate mutate;

static struct blocks find(const uint8_t *code, size_t size)
{
    struct snapshot s = {.regs.rip = CODE};
    struct memory memory;
    struct blocks blocks;
    struct error error;

    memset(ram, 0xf4, sizeof ram); /* hlt */
    memcpy(ram + CODE, code, size);
    memory_init(&memory, 0, RAM, ram);
    s.memory = &memory;
    mutate_init(&mutate, 1, 16);
    assert_int_equal(blocks_find(&blocks, &s, &mutate, &error), 0);
    return blocks;
}

static void test_blocks_and_values(void **state)
{
    static const uint8_t code[] = {0x3d, 0x34, 0x12, /* cmp $0x1234, %ax */
                                   0x74, 0x03,       /* je CODE + 8 */
                                   0xb8, 1,    0,    /* mov $1, %ax */
                                   0xbb, 2,    0,    /* mov $2, %bx */
                                   0xc3};
    struct blocks blocks = find(code, sizeof code);

    (void)state;
    assert_int_equal(blocks.count, 3);
    assert_int_equal(blocks.list[0], CODE);
    assert_int_equal(blocks.list[1], CODE + 5);
    assert_int_equal(blocks.list[2], CODE + 8);
    assert_int_equal(mutate.value_count, 1);
    assert_int_equal(mutate.values[0], 0x1234);
    assert_false(blocks.cut);
    blocks_release(&blocks);
}

/* The byte after the call, which does not return, decodes as an instruction that covers the code at
 * 9. */
static void test_data_behind_a_call(void **state)
{
    static const uint8_t code[] = {0x83, 0xf8, 5, /* cmp $5, %ax */
                                   0x74, 4,       /* je CODE + 9 */
                                   0xe8, 0x18, 0, /* call CODE + 0x20 */
                                   0xb8,          /* data: mov $IMMEDIATE, %ax */
                                   0x89, 0xd8,    /* mov %bx, %ax */
                                   0xf4};
    struct blocks blocks = find(code, sizeof code);

    (void)state;
    for (size_t i = 0; i < blocks.count; i++)
        assert_int_not_equal(blocks.list[i], CODE + 9);
    assert_int_equal(blocks.count, 2); /* a hlt alone has no room */
    assert_int_equal(blocks.list[1], CODE + 5);
    blocks_release(&blocks);
}

/* Code that runs into empty memory: the code behind that is not walked. */
static void test_empty_memory(void **state)
{
    static const uint8_t code[0x8000] = {0x74,
                                         0x02, /* je CODE + 4 */
                                         0xb0,
                                         1, /* mov $1, %al */
                                         0xb0,
                                         2, /* mov $2, %al */
                                         [0x7000] = 0x74,
                                         0x02,
                                         0xb0,
                                         1,
                                         0xb0,
                                         2};
    struct blocks blocks = find(code, sizeof code);

    (void)state;
    assert_int_equal(blocks.count, 3);
    assert_false(blocks.cut);
    blocks_release(&blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_and_values),
        cmocka_unit_test(test_data_behind_a_call),
        cmocka_unit_test(test_empty_memory),
    };

    return cmocka_run_group_tests_name("blocks", tests, NULL, NULL);
}
