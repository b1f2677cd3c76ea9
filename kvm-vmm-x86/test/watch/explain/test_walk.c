/* Unit tests of explain/walk: page tables of every format, written entry by entry. */
#include <string.h>

#include "cmocka_all.h"
#include "watch/explain/walk.h"

enum { P = 1, W = 2, U = 4, LARGE = 0x80 };
#define NX (UINT64_C(1) << 63)

enum { RAM = 64 * 1024, TABLE = 0x1000 }; /* tables at 0x1000, 0x2000 ... */

static _Alignas(8) uint8_t ram[RAM];
static struct memory memory;
static struct snapshot s;

static int setup(void **state)
{
    (void)state;
    memset(ram, 0, sizeof ram);
    memory_init(&memory, 0, RAM, ram);
    s = (struct snapshot){.memory = &memory, .address_bits = 40};
    s.sregs.cr0 = CR0_PE | CR0_PG | CR0_WP;
    s.sregs.cr3 = TABLE;
    return 0;
}

static void put32(gpa_t table, unsigned index, uint32_t entry)
{
    memcpy(ram + table + 4 * index, &entry, sizeof entry);
}

static void put64(gpa_t table, unsigned index, uint64_t entry)
{
    memcpy(ram + table + 8 * index, &entry, sizeof entry);
}

/* Tables 0x1000 to 0x4000 in a row, all for address 0, the last entry a page at 0x5000. */
static void setup_4level(void)
{
    s.sregs.cr4 = CR4_PAE;
    s.sregs.efer = EFER_LME | EFER_LMA | EFER_NX;
    s.sregs.cs.l = 1;
    for (unsigned i = 1; i < 4; i++)
        put64(i * TABLE, 0, (i + 1) * TABLE | P | W | U);
    put64(4 * TABLE, 0, 0x5000 | P | W | U);
}

static void expect(gva_t address, enum walk_access access, enum walk_result result,
                   const char *words)
{
    struct walk w = walk_address(&s, address, access);
    char bytes[2000];
    struct text text = text_in(bytes, sizeof bytes);

    text_add(&text, "%s", walk_words(&w).text);
    assert_int_equal(w.result, result);
    if (words != NULL)
        assert_string_equal(bytes, words);
}

static void test_off(void **state)
{
    (void)state;
    s.sregs.cr0 = CR0_PE;
    expect(0x1234, WALK_WRITE, WALK_OK, "mapped to 0x1234");
    expect(0x100001234, WALK_WRITE, WALK_OK, "mapped to 0x1234");
    assert_false(walk_address(&s, RAM, WALK_READ).in_ram);
}

static void test_32bit(void **state)
{
    struct walk w;

    (void)state;
    put32(0x1000, 1, 0x2000 | P | W | U);
    put32(0x2000, 3, 0x5000 | P);
    expect(0x403abc, WALK_READ, WALK_OK, "mapped to 0x5abc");
    expect(0x403abc, WALK_WRITE, WALK_READ_ONLY, "not writable: PT[3] bit 1 (W) is clear");
    expect(0x404abc, WALK_READ, WALK_NOT_PRESENT, "not present: PT[4] bit 0 (P) is clear");
    expect(0, WALK_READ, WALK_NOT_PRESENT, "not present: PD[0] bit 0 (P) is clear");
    s.sregs.cr0 &= ~CR0_WP;
    expect(0x403abc, WALK_WRITE, WALK_OK, NULL);
    w = walk_as(&s, 0x403abc, WALK_WRITE, true);
    assert_int_equal(w.result, WALK_NOT_USER);
    assert_int_equal(w.error_code, PF_PRESENT | PF_WRITE | PF_USER);
    put32(0x1000, 2, 0x800000 | P);
    expect(0x800000, WALK_READ, WALK_NO_TABLE, "the PT would lie at 0x800000, outside RAM");
}

static void test_4mb(void **state)
{
    struct walk w;

    (void)state;
    put32(0x1000, 1, 0x00c00000 | P | W | LARGE);
    put32(0x1000, 2, 0x00c00000 | P | LARGE | 1 << 21);
    put32(0x1000, 3, 0x00c00000 | P | LARGE | 0x2a << 13); /* PSE-36 */
    expect(0x400000, WALK_READ, WALK_NO_TABLE, NULL);      /* without CR4.PSE bit 7 is ignored */
    s.sregs.cr4 = CR4_PSE;
    w = walk_address(&s, 0x412345, WALK_WRITE);
    assert_int_equal(w.result, WALK_OK);
    assert_int_equal(w.gpa, 0xc12345);
    assert_int_equal(w.page_size, 4 * MIB);
    assert_false(w.in_ram);
    expect(0x800000, WALK_READ, WALK_RESERVED,
           "a reserved bit is set: PD[2] bit 21 (reserved) is set");
    assert_true(walk_address(&s, 0xc00000, WALK_READ).gpa == 0x2a00c00000);
    s.address_bits = 36;
    expect(0xc00000, WALK_READ, WALK_RESERVED,
           "a reserved bit is set: PD[3] bit 18 (reserved) is set");
}

static void test_pae(void **state)
{
    (void)state;
    s.sregs.cr4 = CR4_PAE;
    s.sregs.cr3 = 0x1020; /* the four entries need not be page-aligned */
    put64(0x1020, 3, 0x2000 | P);
    put64(0x2000, 511, 0x3000 | P | W);
    put64(0x3000, 511, 0x5000 | P | W | NX);
    put64(0x2000, 1, 0x200000 | P | W | LARGE);
    expect(0xfffff123, WALK_READ, WALK_RESERVED,
           "a reserved bit is set: PT[511] bit 63 (reserved) is set");
    s.sregs.efer = EFER_NX;
    expect(0xfffff123, WALK_WRITE, WALK_OK, "mapped to 0x5123");
    expect(0xfffff123, WALK_FETCH, WALK_NO_EXECUTE, "not executable: PT[511] bit 63 (NX) is set");
    expect(0xc0212345, WALK_READ, WALK_OK, "mapped to 0x212345");
    put64(0x1020, 3, 0x2000 | P | W); /* these entries have no W bit */
    expect(0xc0212345, WALK_READ, WALK_RESERVED,
           "a reserved bit is set: PDPT[3] bit 1 (reserved) is set");
}

static void test_4level(void **state)
{
    struct walk w;

    (void)state;
    setup_4level();
    expect(0x678, WALK_WRITE, WALK_OK, "mapped to 0x5678");
    expect(0x800000000000, WALK_READ, WALK_NOT_CANONICAL, NULL);
    expect(0xffff800000000000, WALK_READ, WALK_NOT_PRESENT,
           "not present: PML4[256] bit 0 (P) is clear");
    put64(0x4000, 0, 0x5000 | P | W | NX);
    expect(0, WALK_FETCH, WALK_NO_EXECUTE, "not executable: PT[0] bit 63 (NX) is set");
    w = walk_address(&s, 0, WALK_FETCH);
    assert_int_equal(w.error_code, PF_PRESENT | PF_FETCH);
    assert_true(w.mapped && w.writable && !w.executable && !w.user_page);
    put64(0x4000, 0, UINT64_C(1) << 45 | 0x5000 | P);
    expect(0, WALK_READ, WALK_RESERVED, "a reserved bit is set: PT[0] bit 45 (reserved) is set");
    put64(0x1000, 0, 0x2000 | P | W | LARGE);
    expect(0, WALK_READ, WALK_RESERVED, "a reserved bit is set: PML4[0] bit 7 (reserved) is set");
}

static void test_large_pages(void **state)
{
    (void)state;
    setup_4level();
    put64(0x3000, 0, 0x200000 | P | LARGE);
    expect(0x12345, WALK_READ, WALK_OK, "mapped to 0x212345");
    put64(0x3000, 0, 0x202000 | P | LARGE);
    expect(0x12345, WALK_READ, WALK_RESERVED,
           "a reserved bit is set: PD[0] bit 13 (reserved) is set");
    put64(0x2000, 0, UINT64_C(0x140000000) | P | W | LARGE);
    expect(0x12345678, WALK_READ, WALK_OK, "mapped to 0x152345678");
    assert_true(walk_address(&s, 0, WALK_READ).page_size == GIB);
}

static void test_5level(void **state)
{
    (void)state;
    setup_4level();
    s.sregs.cr4 |= CR4_LA57;
    s.sregs.cr3 = 0x6000;
    put64(0x6000, 256, 0x1000 | P | W);
    expect(0xff00000000000678, WALK_READ, WALK_OK, "mapped to 0x5678");
    expect(0x100000000000000, WALK_READ, WALK_NOT_CANONICAL, NULL);
    expect(0x800000000000, WALK_READ, WALK_NOT_PRESENT, "not present: PML5[0] bit 0 (P) is clear");
}

static void test_guards(void **state)
{
    (void)state;
    setup_4level();
    s.sregs.cr4 |= CR4_SMEP | CR4_SMAP;
    expect(0, WALK_FETCH, WALK_SMEP, NULL);
    expect(0, WALK_READ, WALK_SMAP, NULL);
    s.regs.rflags = RFLAGS_AC;
    expect(0, WALK_READ, WALK_OK, NULL);
    s.sregs.ss.dpl = 3;
    expect(0, WALK_FETCH, WALK_OK, NULL);
    put64(0x2000, 0, 0x3000 | P | W);
    expect(0, WALK_FETCH, WALK_NOT_USER, "not for user code: PDPT[0] bit 2 (U) is clear");
}

/* Reads across two pages that are apart in memory, and up to an unmapped page. */
static void test_read(void **state)
{
    uint8_t bytes[8];

    (void)state;
    setup_4level();
    put64(0x4000, 1, 0x9000 | P);
    memcpy(ram + 0x5ffc, "abcd", 4);
    memcpy(ram + 0x9000, "efgh", 4);
    assert_int_equal(walk_read(&s, 0xffc, bytes, 8), 8);
    assert_memory_equal(bytes, "abcdefgh", 8);
    assert_int_equal(walk_read(&s, 0x1ffe, bytes, 8), 2);
}

static void test_print(void **state)
{
    char bytes[2000];
    struct text text = text_in(bytes, sizeof bytes);
    struct walk w;

    (void)state;
    setup_4level();
    put64(0x3000, 0, 0);
    w = walk_address(&s, 0x678, WALK_READ);
    walk_print(&text, &w);
    assert_string_equal(bytes, "    4-level paging, CR3 0x1000\n"
                               "    PML4[0]   at 0x1000: 0x2007 PWU\n"
                               "    PDPT[0]   at 0x2000: 0x3007 PWU\n"
                               "    PD[0]     at 0x3000: 0x0 ---   <--\n"
                               "    => not present: PD[0] bit 0 (P) is clear\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_off, setup),    cmocka_unit_test_setup(test_32bit, setup),
        cmocka_unit_test_setup(test_4mb, setup),    cmocka_unit_test_setup(test_pae, setup),
        cmocka_unit_test_setup(test_4level, setup), cmocka_unit_test_setup(test_large_pages, setup),
        cmocka_unit_test_setup(test_5level, setup), cmocka_unit_test_setup(test_guards, setup),
        cmocka_unit_test_setup(test_read, setup),   cmocka_unit_test_setup(test_print, setup),
    };

    return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
