/* Unit tests of common/elf.c: valid files, files cut at every length, and files with wrong
 * segments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/elf.h"

struct file64 {
    struct elf64_header header;
    struct elf64_program_header segment;
    uint8_t payload[16];
};

static struct file64 good64(void)
{
    struct file64 f = {
        .header = {.ident = {.magic = {0x7f, 'E', 'L', 'F'},
                             .class_ = ELF_CLASS_64,
                             .data = ELF_DATA_LSB},
                   .type = ELF_TYPE_EXEC,
                   .machine = ELF_MACHINE_X86_64,
                   .entry = 0x100000,
                   .phoff = sizeof(struct elf64_header),
                   .phentsize = sizeof(struct elf64_program_header),
                   .phnum = 1},
        .segment = {.type = ELF_PT_LOAD,
                    .offset = offsetof(struct file64, payload),
                    .vaddr = 0x100000,
                    .paddr = 0x100000,
                    .filesz = 16,
                    .memsz = 4096},
    };

    return f;
}

static void test_good64(void **state)
{
    struct file64 f = good64();
    struct elf_file elf;
    struct elf_segment s;

    (void)state;
    assert_int_equal(elf_open(&elf, &f, sizeof f), ELF_OK);
    assert_true(elf.is64);
    assert_int_equal(elf.entry, 0x100000);
    assert_int_equal(elf_segment(&elf, 0, &s), ELF_OK);
    assert_int_equal(s.memsz, 4096);
    assert_int_equal(elf_segment(&elf, 1, &s), ELF_TRUNCATED);
}

static void test_every_truncation(void **state)
{
    struct file64 f = good64();
    struct elf_file elf;
    struct elf_segment s;

    (void)state;
    for (size_t n = 0; n < sizeof f; n++) {
        int error = elf_open(&elf, &f, n);

        if (error == ELF_OK)
            error = elf_segment(&elf, 0, &s);
        assert_int_not_equal(error, ELF_OK);
    }
}

static void test_lies(void **state)
{
    struct file64 f = good64();
    struct elf_file elf;
    struct elf_segment s;

    (void)state;
    f.header.phoff = UINT64_MAX - 8;
    assert_int_equal(elf_open(&elf, &f, sizeof f), ELF_TRUNCATED);
    f = good64();
    f.header.phentsize = 8;
    assert_int_equal(elf_open(&elf, &f, sizeof f), ELF_UNSUPPORTED);
    f = good64();
    f.header.ident.data = 2;
    assert_int_equal(elf_open(&elf, &f, sizeof f), ELF_UNSUPPORTED);
    f = good64();
    f.segment.offset = UINT64_MAX;
    assert_int_equal(elf_open(&elf, &f, sizeof f), ELF_OK);
    assert_int_equal(elf_segment(&elf, 0, &s), ELF_TRUNCATED);
    f = good64();
    f.segment.memsz = 8;
    assert_int_equal(elf_open(&elf, &f, sizeof f), ELF_OK);
    assert_int_equal(elf_segment(&elf, 0, &s), ELF_TRUNCATED);
    f = good64();
    f.segment.memsz = UINT64_MAX - 0x1000;
    assert_int_equal(elf_open(&elf, &f, sizeof f), ELF_OK);
    assert_int_equal(elf_segment(&elf, 0, &s), ELF_TRUNCATED);
}

static void test_class32(void **state)
{
    struct {
        struct elf32_header header;
        struct elf32_program_header segment;
    } f = {
        .header = {.ident = {.magic = {0x7f, 'E', 'L', 'F'},
                             .class_ = ELF_CLASS_32,
                             .data = ELF_DATA_LSB},
                   .machine = ELF_MACHINE_386,
                   .entry = 0x1000,
                   .phoff = sizeof(struct elf32_header),
                   .phentsize = sizeof(struct elf32_program_header),
                   .phnum = 1},
        .segment = {.type = ELF_PT_LOAD, .paddr = 0xfffff000, .memsz = 0x2000},
    };
    struct elf_file elf;
    struct elf_segment s;

    (void)state;
    assert_int_equal(elf_open(&elf, &f, sizeof f), ELF_OK);
    assert_false(elf.is64);
    assert_int_equal(elf_segment(&elf, 0, &s), ELF_OK);
    assert_int_equal(s.paddr + s.memsz, 0x100001000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good64),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_class32),
    };

    return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}
