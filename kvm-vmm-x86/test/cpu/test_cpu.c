/* Unit tests of cpu/: they walk the page tables as the CPU does (Intel SDM volume 3, chapter 4). */
#include <stdlib.h>
#include <string.h>

#include "abi/multiboot.h"
#include "cmocka_all.h"
#include "cpu/segments.h"
#include "cpu/state.h"

enum { PRESENT = 1, LARGE = 1 << 7 };

static const uint64_t not_mapped = UINT64_MAX;

static uint64_t walk32(const struct memory *m, uint64_t cr3, uint32_t va)
{
    uint32_t *directory = memory_at(m, cr3, PAGE_SIZE), *table;
    uint32_t pde = directory[va >> 22];

    if (!(pde & PRESENT))
        return not_mapped;
    if (pde & LARGE)
        return (pde & 0xffc00000) | (va & 0x3fffff);
    table = memory_at(m, pde & ~0xfffu, PAGE_SIZE);
    return table[va >> 12 & 1023] & PRESENT ? (table[va >> 12 & 1023] & ~0xfffu) | (va & 0xfff)
                                            : not_mapped;
}

static uint64_t walk64(const struct memory *m, uint64_t cr3, uint64_t va)
{
    uint64_t *table = memory_at(m, cr3, PAGE_SIZE);
    uint64_t entry = table[va >> 39 & 511];

    for (int shift = 30; entry & PRESENT; shift -= 9) {
        table = memory_at(m, entry & 0xffffffffff000, PAGE_SIZE);
        assert_non_null(table);
        entry = table[va >> shift & 511];
        if (shift == 21)
            return (entry & PRESENT) && (entry & LARGE)
                       ? (entry & 0xfffffffe00000) | (va & 0x1fffff)
                       : not_mapped;
    }
    return not_mapped;
}

static void test_real(void **state)
{
    static uint8_t ram[65536];
    struct memory m;
    struct cpu_start start = {.entry = 0};
    struct kvm_regs regs;
    struct kvm_sregs sregs = {0};

    (void)state;
    memory_init(&m, 0xc0000, sizeof ram, ram);
    cpu_start_real(&m, &start, &regs, &sregs);
    assert_int_equal(sregs.cs.base, 0xc0000);
    assert_int_equal(sregs.ss.selector, 0xc000);
    assert_int_equal(sregs.idt.base, 0xc0000);
    assert_int_equal(regs.rsp, 0xfffe);
    assert_int_equal(regs.rip, 0);
}

static void check_protected(uint64_t size)
{
    uint8_t *ram = calloc(1, size);
    struct memory m;
    struct cpu_start start = {.entry = 0x80001000,
                              .paging = true,
                              .boot_magic = MULTIBOOT_BOOT_MAGIC,
                              .boot_info = 0x1234};
    struct kvm_regs regs;
    struct kvm_sregs s = {0};

    memory_init(&m, 0, size, ram);
    cpu_start_protected(&m, &start, &regs, &s);
    assert_int_equal(regs.rsp, cpu_reserved_protected(&m));
    assert_int_equal(regs.rax, MULTIBOOT_BOOT_MAGIC);
    assert_int_equal(regs.rbx, 0x1234);
    assert_true(s.cr3 >= regs.rsp && s.gdt.base >= regs.rsp);
    for (uint64_t at = 0; at < size; at += PAGE_SIZE) {
        assert_int_equal(walk32(&m, s.cr3, (uint32_t)at + 5), at + 5);
        assert_int_equal(walk32(&m, s.cr3, (uint32_t)(at + CPU_HIGH_BASE)), at);
    }
    assert_true(walk32(&m, s.cr3, (uint32_t)size) == not_mapped);
    assert_true(walk32(&m, s.cr3, (uint32_t)(size + CPU_HIGH_BASE)) == not_mapped);
    free(ram);
}

static void test_protected(void **state)
{
    (void)state;
    check_protected(64 * KIB);
    check_protected(8 * MIB);
    check_protected(9 * MIB + 4 * KIB);
}

/* Tables only: gigabytes of guest memory over a buffer for only the top of low RAM. */
static void check_long(uint64_t size)
{
    uint8_t *ram = calloc(1, size);
    struct memory m;
    struct cpu_start start = {.entry = 0x100000};
    struct kvm_regs regs;
    struct kvm_sregs s = {0};
    gpa_t top;

    memory_init(&m, 0, size, ram);
    cpu_start_long(&m, &start, &regs, &s);
    top = memory_end(&m) > 4 * GIB ? (memory_end(&m) + GIB - 1) / GIB * GIB : 4 * GIB;
    assert_int_equal(regs.rsp, cpu_reserved_long(&m));
    assert_true(s.gdt.base >= regs.rsp && s.cr3 > s.gdt.base);
    for (uint64_t at = 0; at < top; at += 2 * MIB)
        assert_int_equal(walk64(&m, s.cr3, at + 0x1234), at + 0x1234);
    assert_true(walk64(&m, s.cr3, top) == not_mapped);
    free(ram);
}

static void test_long(void **state)
{
    (void)state;
    check_long(2 * MIB);
    check_long(64 * MIB);
}

static void test_too_small(void **state)
{
    static uint8_t ram[3 * PAGE_SIZE];
    struct memory m;

    (void)state;
    memory_init(&m, 0, sizeof ram, ram);
    assert_int_equal(cpu_reserved_protected(&m), 0);
    assert_int_equal(cpu_reserved_long(&m), 0);
}

/* Values of the Intel SDM's flat descriptors, written out. */
static void test_descriptors(void **state)
{
    struct kvm_segment code32 = {
        .limit = 0xffffffff, .type = 0xb, .present = 1, .db = 1, .s = 1, .g = 1};
    struct kvm_segment odd = {.base = 0x12345678, .limit = 0xabcde, .type = 3, .s = 1, .dpl = 3};

    (void)state;
    assert_true(segments_descriptor(&code32) == 0x00cf9b000000ffff);
    assert_true(segments_descriptor(&odd) == 0x120a73345678bcde);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real),        cmocka_unit_test(test_protected),
        cmocka_unit_test(test_long),        cmocka_unit_test(test_too_small),
        cmocka_unit_test(test_descriptors),
    };

    return cmocka_run_group_tests_name("cpu", tests, NULL, NULL);
}
