/* Unit tests of the decoder: all compressed instructions, against the rules of the instruction
 * set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vm/insn.h"

static bool has_address(const struct insn *i)
{
    return i->kind >= INSN_LOAD && i->kind <= INSN_AMO;
}

static void check(uint32_t bits, enum insn_kind kind, unsigned width, bool sign, unsigned base,
                  unsigned data, int offset)
{
    struct insn i = insn_decode(bits);

    assert_int_equal(i.kind, kind);
    assert_int_equal(i.width, width);
    assert_int_equal(i.sign, sign);
    assert_int_equal(i.rs1, base);
    assert_int_equal(kind == INSN_STORE || kind == INSN_FP_STORE ? i.rs2 : i.rd, data);
    assert_int_equal(i.offset, offset);
}

/* Encodings from GNU as 2.40. */
static void known_words(void **state)
{
    (void)state;
    check(0x00052503, INSN_LOAD, 4, true, 10, 10, 0);       /* lw a0, 0(a0) */
    check(0xfff5c503, INSN_LOAD, 1, false, 11, 10, -1);     /* lbu a0, -1(a1) */
    check(0x80e7b023, INSN_STORE, 8, false, 15, 14, -2048); /* sd a4, -2048(a5) */
    check(0x0005b507, INSN_FP_LOAD, 8, false, 11, 10, 0);   /* fld fa0, 0(a1) */
    check(0x00a5a227, INSN_FP_STORE, 4, false, 11, 10, 4);  /* fsw fa0, 4(a1) */
    check(0x4188, INSN_LOAD, 4, true, 11, 10, 0);           /* c.lw a0, 0(a1) */
    check(0xe588, INSN_STORE, 8, false, 11, 10, 8);         /* c.sd a0, 8(a1) */
    check(0x6502, INSN_LOAD, 8, true, 2, 10, 0);            /* c.ldsp a0, 0(sp) */
    check(0xc42a, INSN_STORE, 4, false, 2, 10, 8);          /* c.swsp a0, 8(sp) */
    check(0x8188, INSN_LOAD, 1, false, 11, 10, 0);          /* c.lbu a0, 0(a1) */
    assert_int_equal(insn_decode(0x1005252f).kind, INSN_LR);
    assert_int_equal(insn_decode(0x18b5252f).kind, INSN_SC);
    assert_int_equal(insn_decode(0x00b5252f).kind, INSN_AMO);
    assert_int_equal(insn_decode(0x10500073).kind, INSN_WFI);
    assert_int_equal(insn_decode(0x00000073).kind, INSN_ECALL);
    assert_int_equal(insn_decode(0xc0102573).csr, 0xc01); /* rdtime a0 */
    assert_int_equal(insn_decode(0x12000073).kind, INSN_FENCE_VMA);
}

/* The kind of each of the 65,536 halfwords, by quadrant and funct3 (C extension, table of 26.8). */
static void every_compressed_word(void **state)
{
    static const enum insn_kind expected[4][8] = {
        {INSN_OTHER, INSN_FP_LOAD, INSN_LOAD, INSN_LOAD, INSN_OTHER, INSN_FP_STORE, INSN_STORE,
         INSN_STORE},
        {INSN_OTHER},
        {INSN_OTHER, INSN_FP_LOAD, INSN_LOAD, INSN_LOAD, INSN_OTHER, INSN_FP_STORE, INSN_STORE,
         INSN_STORE}};
    unsigned memory = 0;

    (void)state;
    for (uint32_t w = 0; w <= 0xffff; w++) {
        struct insn i = insn_decode(w | 0xabcd0000);
        unsigned quadrant = w & 3, funct3 = w >> 13;

        if (quadrant == 3)
            continue;
        assert_int_equal(i.length, 2);
        assert_int_equal(i.bits, w); /* the upper half is ignored */
        memory += has_address(&i);
        if (has_address(&i)) {
            assert_true(i.width == 1 || i.width == 2 || i.width == 4 || i.width == 8);
            assert_true(i.offset >= 0 && i.offset < 512 && i.offset % i.width == 0);
        }
        if (quadrant == 0 && funct3 == 4) /* Zcb */
            assert_int_equal(has_address(&i),
                             (w >> 10 & 7) < 3 || ((w >> 10 & 7) == 3 && !(w & 0x40)));
        else if (w == 0x9002)
            assert_int_equal(i.kind, INSN_EBREAK);
        else if (quadrant == 2 && (funct3 == 2 || funct3 == 3) && (w >> 7 & 31) == 0)
            assert_int_equal(i.kind, INSN_OTHER);
        else
            assert_int_equal(i.kind, expected[quadrant][funct3]);
    }
    /* quadrant 0: 6 full rows and 7 of 16 parts of Zcb's; quadrant 2: 6 rows, two without rd = 0 */
    assert_int_equal(memory, 6 * 2048 + 2048 / 16 * 7 + 6 * 2048 - 2 * 64);
}

static void text_of_every_kind(void **state)
{
    char text[INSN_TEXT_SIZE];
    struct insn i = insn_decode(0x80e7b023);

    (void)state;
    assert_string_equal(insn_text(&i, text), "sd a4, -2048(a5)");
    i = insn_decode(0x00b5252f);
    assert_string_equal(insn_text(&i, text), "amoadd.w a0, a1, (a0)");
    i = insn_decode(0xffffffff);
    assert_string_equal(insn_text(&i, text), ".word 0xffffffff");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_words),
                                       cmocka_unit_test(every_compressed_word),
                                       cmocka_unit_test(text_of_every_kind)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
