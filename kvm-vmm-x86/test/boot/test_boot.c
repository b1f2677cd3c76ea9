/* Unit tests of boot/: which loader takes which file, where it lands, and what is refused. */
#include <stdlib.h>
#include <string.h>

#include "abi/multiboot.h"
#include "boot/loader.h"
#include "boot/multiboot.h"
#include "cmocka_all.h"
#include "common/elf.h"

#define RAM_SIZE (4 * MIB)

struct fixture {
    uint8_t *ram;
    struct memory memory;
    struct guest_config config;
    struct image image;
    struct cpu_start start;
    struct error error;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->ram = calloc(1, RAM_SIZE);
    memory_init(&f->memory, 0, RAM_SIZE, f->ram);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    free(f->ram);
    free(f);
    return 0;
}

static int load(struct fixture *f, const void *bytes, size_t size, gpa_t limit)
{
    struct boot_request request = {
        .config = &f->config, .image = &f->image, .memory = &f->memory, .limit = limit};
    enum guest_mode mode;
    const struct loader *loader;

    f->image = (struct image){.path = "image", .bytes = bytes, .size = size};
    loader = loader_find(&f->image);
    if (loader->mode(&f->image, f->config.mode, &mode, &f->error) < 0)
        return -1;
    f->start = (struct cpu_start){.paging = mode == MODE_PROTECTED && !f->config.no_paging};
    return loader->load(&request, mode, &f->start, &f->error);
}

static void test_flat_places(void **state)
{
    static const uint8_t code[] = {0xf4, 0x90};
    struct fixture *f = *state;

    assert_int_equal(load(f, code, sizeof code, RAM_SIZE), 0);
    assert_int_equal(f->start.entry, 0);
    assert_int_equal(f->ram[0], 0xf4);
    f->config.mode = MODE_PROTECTED;
    assert_int_equal(load(f, code, sizeof code, RAM_SIZE), 0);
    assert_int_equal(f->start.entry, 0x80001000);
    assert_int_equal(f->ram[0x1000], 0xf4);
    f->config.no_paging = true;
    assert_int_equal(load(f, code, sizeof code, RAM_SIZE), 0);
    assert_int_equal(f->start.entry, 0x1000);
    f->config.has_load = true;
    f->config.load = 0x5000;
    assert_int_equal(load(f, code, sizeof code, RAM_SIZE), 0);
    assert_int_equal(f->start.entry, 0x5000);
    f->config.has_entry = true;
    f->config.entry = 0x5001;
    assert_int_equal(load(f, code, sizeof code, RAM_SIZE), 0);
    assert_int_equal(f->start.entry, 0x5001);
    assert_int_equal(f->ram[0x5001], 0x90);
    f->config = (struct guest_config){.mode = MODE_LONG};
    assert_int_equal(load(f, code, sizeof code, RAM_SIZE), 0);
    assert_int_equal(f->start.entry, 0x100000);
}

static void test_flat_too_large(void **state)
{
    struct fixture *f = *state;
    uint8_t *large = calloc(1, RAM_SIZE + 1);

    assert_int_equal(load(f, large, RAM_SIZE + 1, RAM_SIZE), -1);
    assert_int_equal(load(f, large, RAM_SIZE, RAM_SIZE), 0);
    f->config.mode = MODE_LONG;
    assert_int_equal(load(f, large, RAM_SIZE - MIB, RAM_SIZE - 0x4000), -1); /* into the tables */
    assert_int_equal(load(f, large, RAM_SIZE - MIB - 0x4000, RAM_SIZE - 0x4000), 0);
    f->config.has_load = true;
    f->config.load = UINT64_MAX - 1;
    assert_int_equal(load(f, large, 16, RAM_SIZE), -1);
    free(large);
}

struct file32 {
    struct elf32_header header;
    struct elf32_program_header segment;
    uint32_t multiboot[3];
};

static struct file32 elf32(uint32_t address)
{
    return (struct file32){
        .header = {.ident = {.magic = {0x7f, 'E', 'L', 'F'}, .class_ = 1, .data = 1},
                   .machine = ELF_MACHINE_386,
                   .entry = address,
                   .phoff = sizeof(struct elf32_header),
                   .phentsize = sizeof(struct elf32_program_header),
                   .phnum = 1},
        .segment = {.type = ELF_PT_LOAD,
                    .offset = offsetof(struct file32, multiboot),
                    .vaddr = address,
                    .paddr = address,
                    .filesz = 12,
                    .memsz = 0x2000},
    };
}

static void test_elf32(void **state)
{
    struct fixture *f = *state;
    struct file32 file = elf32(0x80003000);

    file.multiboot[0] = 0x11223344;
    assert_int_equal(load(f, &file, sizeof file, RAM_SIZE), 0);
    assert_true(f->start.paging);
    assert_int_equal(f->start.entry, 0x80003000);
    assert_memory_equal(f->ram + 0x3000, "\x44\x33\x22\x11", 4);
    f->config.mode = MODE_LONG;
    assert_int_equal(load(f, &file, sizeof file, RAM_SIZE), -1);
}

static void test_multiboot_header(void **state)
{
    struct fixture *f = *state;
    struct file32 file = elf32(0x200000);

    file.multiboot[0] = MULTIBOOT_HEADER_MAGIC;
    file.multiboot[1] = 2;
    file.multiboot[2] = -(uint32_t)(MULTIBOOT_HEADER_MAGIC + 2);
    assert_int_equal(load(f, &file, sizeof file, RAM_SIZE), 0);
    assert_false(f->start.paging);
    file.multiboot[2]++; /* a wrong checksum: no header */
    assert_int_equal(load(f, &file, sizeof file, RAM_SIZE), 0);
    assert_true(f->start.paging);
}

static void test_elf_refusals(void **state)
{
    struct fixture *f = *state;
    struct file32 file = elf32(0x200000);

    file.header.machine = ELF_MACHINE_RISCV;
    assert_int_equal(load(f, &file, sizeof file, RAM_SIZE), -1);
    file = elf32(0x200000);
    file.segment.type = ELF_PT_NOTE;
    assert_int_equal(load(f, &file, sizeof file, RAM_SIZE), -1);
    file = elf32(RAM_SIZE - 0x1000);
    assert_int_equal(load(f, &file, sizeof file, RAM_SIZE), -1);
    file = elf32(0x200000);
    file.header.phnum = 65;
    assert_int_equal(load(f, &file, sizeof file, RAM_SIZE), -1);
}

static void test_multiboot_info(void **state)
{
    struct fixture *f = *state;
    gpa_t reserved = cpu_reserved_protected(&f->memory);
    gpa_t at = cpu_boot_info_address(reserved);
    struct multiboot_info *info = memory_at(&f->memory, at, sizeof *info);
    struct multiboot_mmap_entry *map;
    uint64_t available = 0;
    struct error error;

    assert_int_equal(multiboot_write_info(&f->memory, at, reserved, "a.bin", NULL, &error), 0);
    assert_string_equal(memory_at(&f->memory, info->cmdline, 6), "a.bin");
    assert_int_equal(multiboot_write_info(&f->memory, at, reserved, "a.bin", "b c", &error), 0);
    assert_int_equal(info->mem_lower, 640);
    assert_int_equal(info->mem_upper, (reserved - MIB) / KIB);
    assert_string_equal(memory_at(&f->memory, info->cmdline, 10), "a.bin b c");
    assert_string_equal(memory_at(&f->memory, info->boot_loader_name, 32), MULTIBOOT_LOADER_NAME);
    map = memory_at(&f->memory, info->mmap_addr, info->mmap_length);
    assert_non_null(map);
    for (uint32_t i = 0; i < info->mmap_length / sizeof *map; i++)
        if (map[i].type == MULTIBOOT_MEMORY_AVAILABLE)
            available += map[i].length;
    assert_int_equal(available, 640 * KIB + reserved - MIB);
}

/* A command line that does not fit is refused, not cut: who passes an option wants it to arrive. */
static void test_multiboot_command_line_limit(void **state)
{
    struct fixture *f = *state;
    gpa_t reserved = cpu_reserved_protected(&f->memory);
    gpa_t at = cpu_boot_info_address(reserved);
    struct multiboot_info *info = memory_at(&f->memory, at, sizeof *info);
    char append[2048] = {0};
    struct error error;

    memset(append, 'x', 2045);
    assert_int_equal(multiboot_write_info(&f->memory, at, reserved, "k", append, &error), 0);
    assert_int_equal(strlen(memory_at(&f->memory, info->cmdline, 2048)), 2047);
    append[2045] = 'x';
    assert_int_equal(multiboot_write_info(&f->memory, at, reserved, "k", append, &error), -1);
    assert_non_null(strstr(error.text, "command line is longer than 2047 bytes"));
}

/* Each is refused in every mode with a word of what it is; a byte less of the mark, and it is taken
 * for code. */
static void test_foreign_files(void **state)
{
    static const struct {
        const char *word;
        size_t at, size;
        const char *bytes;
    } files[] = {
        {"gzip", 0, 3, "\x1f\x8b\x08"},
        {"xz", 0, 6, "\xfd\x37zXZ\0"},
        {"zstd", 0, 4, "\x28\xb5\x2f\xfd"},
        {"zip", 0, 4, "PK\3\4"},
        {"tar", 257, 5, "ustar"},
        {"cpio", 0, 6, "070701"},
        {"qcow2", 0, 4, "QFI\xfb"},
        {"ISO", 0x8001, 5, "CD001"},
        {"GPT", 512, 8, "EFI PART"},
        {"script", 0, 10, "#!/bin/sh\n"},
        {"arm64", 0x38, 4, "ARM\x64"},
        {"RISC-V", 0x38, 4, "RSC\x05"},
        {"UEFI", 0, 0x44,
         "MZ" /* and the PE signature's place, and it */
         "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
         "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
         "\x40\0\0\0PE\0\0"},
        {"DOS", 0, 10, "MZ\x10\0\x01\0\0\0\x02\0"},
    };
    static uint8_t file[0x9000];
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        memset(file, 0, sizeof file);
        memcpy(file + files[i].at, files[i].bytes, files[i].size);
        for (enum guest_mode m = MODE_BY_CONTENT; m <= MODE_LONG; m++) {
            f->config.mode = m;
            assert_int_equal(load(f, file, sizeof file, RAM_SIZE), -1);
            if (strstr(f->error.text, files[i].word) == NULL)
                fail_msg("\"%s\" does not say \"%s\"", f->error.text, files[i].word);
        }
        file[files[i].at + files[i].size / 2] ^= 0x80;
        f->config.mode = MODE_PROTECTED;
        if (files[i].size < 10)
            assert_int_equal(load(f, file, sizeof file, RAM_SIZE), 0);
    }
}

static void test_text_and_partitions(void **state)
{
    struct fixture *f = *state;
    uint8_t disk[1024] = {0xfa};

    assert_int_equal(load(f, "title Debian\nkernel /vmlinuz\n", 29, RAM_SIZE), -1);
    assert_non_null(strstr(f->error.text, "text"));
    assert_int_equal(load(f, "BUST\n", 5, RAM_SIZE), 0); /* five instructions may be letters */
    disk[510] = 0x55;
    disk[511] = 0xaa;
    assert_int_equal(load(f, disk, sizeof disk, RAM_SIZE), 0); /* a boot sector, and more of it */
    disk[446] = 0x80;
    disk[446 + 4] = 0x83;
    disk[446 + 9] = 8;
    assert_int_equal(load(f, disk, sizeof disk, RAM_SIZE), -1);
    assert_non_null(strstr(f->error.text, "partitions"));
    assert_int_equal(load(f, disk, 512, RAM_SIZE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_flat_places, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_flat_too_large, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_elf32, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_multiboot_header, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_elf_refusals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_foreign_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_text_and_partitions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_multiboot_info, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_multiboot_command_line_limit, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("boot", tests, NULL, NULL);
}
