/* Unit tests of vm/flow.c: the targets of each kind of jump, with encodings from the assembler. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vm/flow.h"

#define PC 0xffffffff80001000ul

struct row {
    const char *text;
    uint32_t bits;
    unsigned count;
    uint64_t next[FLOW_NEXT_MAX];
};

/* x[10] is 0x5001, x[1] is 0x6000; vsepc 0x7000, vstvec 0x8001. */
static const struct row rows[] = {
    {"nop", 0x00000013, 1, {PC + 4}},
    {"c.nop", 0x0001, 1, {PC + 2}},
    {"beq a0, a1, .+16", 0x00b50863, 2, {PC + 4, PC + 16}},
    {"bne a0, zero, .-8", 0xfe051ce3, 2, {PC + 4, PC - 8}},
    {"jal ra, .+2048", 0x001000ef, 1, {PC + 2048}},
    {"jal zero, .-4", 0xffdff06f, 1, {PC - 4}},
    {"jalr ra, 12(a0)", 0x00c500e7, 1, {0x500c}},
    {"jalr zero, -16(a0)", 0xff050067, 1, {0x4ff0}},
    {"c.j .+14", 0xa039, 1, {PC + 14}},
    {"c.j .-2", 0xbffd, 1, {PC - 2}},
    {"c.beqz a0, .+6", 0xc119, 2, {PC + 2, PC + 6}},
    {"c.bnez a0, .-6", 0xfd6d, 2, {PC + 2, PC - 6}},
    {"c.jr ra", 0x8082, 1, {0x6000}},
    {"c.jalr a0", 0x9502, 1, {0x5000}},
    {"c.mv a0, ra", 0x8506, 1, {PC + 2}},
    {"c.add a0, ra", 0x9506, 1, {PC + 2}},
    {"c.ebreak", 0x9002, 1, {0x8000}},
    {"ebreak", 0x00100073, 1, {0x8000}},
    {"sret", 0x10200073, 1, {0x7000}},
    {"ecall", 0x00000073, 1, {PC + 4}},
    {"wfi", 0x10500073, 1, {PC + 4}},
};

static struct flow_state state(void)
{
    struct flow_state s = {.pc = PC, .vsepc = 0x7000, .vstvec = 0x8001, .supervisor = true};

    s.x[10] = 0x5001;
    s.x[1] = 0x6000;
    return s;
}

static void test_rows(void **unused)
{
    struct flow_state s = state();

    (void)unused;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct insn insn = insn_decode(rows[i].bits);
        uint64_t next[FLOW_NEXT_MAX] = {0};

        if (flow_next(&s, &insn, next) != rows[i].count || next[0] != rows[i].next[0] ||
            next[1] != rows[i].next[1])
            fail_msg("%s: %#lx, %#lx", rows[i].text, next[0], next[1]);
    }
}

static void test_user_mode(void **unused)
{
    struct flow_state s = state();
    struct insn call = insn_decode(0x00000073);
    uint64_t next[FLOW_NEXT_MAX];

    (void)unused;
    s.supervisor = false;
    assert_int_equal(flow_next(&s, &call, next), 1);
    assert_int_equal(next[0], 0x8000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows),
                                       cmocka_unit_test(test_user_mode)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
