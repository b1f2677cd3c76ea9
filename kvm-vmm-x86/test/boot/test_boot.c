/* Unit tests of boot/: which loader takes which file, where it is loaded, and what is refused. */
#include "load_fixture.h"

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

/* A boot sector goes where a BIOS puts it, unless --load says otherwise. */
static void test_boot_sector(void **state)
{
    struct fixture *f = *state;
    uint8_t sector[512] = {0xf4};

    assert_int_equal(load(f, sector, sizeof sector, RAM_SIZE), 0);
    assert_int_equal(f->start.entry, 0);
    sector[510] = 0x55;
    sector[511] = 0xaa;
    assert_int_equal(load(f, sector, sizeof sector, RAM_SIZE), 0);
    assert_int_equal(f->start.entry, 0x7c00);
    assert_int_equal(f->ram[0x7c00], 0xf4);
    assert_true(f->ram[4 * 0x10 + 2] != 0); /* int 0x10 reports the missing BIOS */
    f->config.has_load = true;
    f->config.load = 0x600;
    assert_int_equal(load(f, sector, sizeof sector, RAM_SIZE), 0);
    assert_int_equal(f->start.entry, 0x600);
}

static void test_flat_too_large(void **state)
{
    struct fixture *f = *state;
    uint8_t *large = calloc(1, RAM_SIZE + 1);

    large[0] = 0xf4;

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

/* Each file is refused in every mode with a word that names its kind; with one byte of the mark
 * changed it is taken for code. */
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
        {"XFS", 0, 4, "XFSB"},
        {"NTFS", 3, 8, "NTFS    "},
        {"script", 0, 10, "#!/bin/sh\n"},
        {"arm64", 0x38, 4, "ARM\x64"},
        {"RISC-V", 0x38, 4, "RSC\x05"},
        {"UEFI", 0, 0x44,
         "MZ" /* then the PE signature's offset and the signature */
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

static void expect_refusal(struct fixture *f, const void *bytes, size_t size, const char *word)
{
    assert_int_equal(load(f, bytes, size, RAM_SIZE), -1);
    if (strstr(f->error.text, word) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", f->error.text, word);
}

/* A text in a file of that name. */
static void expect_refusal_named(struct fixture *f, const char *path, const char *word)
{
    f->path = path;
    expect_refusal(f, "# a line\n", 9, word);
    f->path = NULL;
}

static void test_firmware_as_a_kernel(void **state)
{
    static const uint8_t jumps[][7] = {{0xea, 0x5b, 0xe0, 0, 0xf0}, /* SeaBIOS */
                                       {0xe9, 0x8d, 0xff},          /* qboot */
                                       {0xfa, 0xfc, 0xe9, 0x0b, 0xf8, 0xff, 0xff}};
    struct fixture *f = *state;
    static uint8_t file[128 * KIB];
    uint8_t *reset = file + sizeof file - 16;

    memset(file, 0x90, sizeof file);
    assert_int_equal(load(f, file, sizeof file, RAM_SIZE), 0);
    memcpy(file + 40, "_FVH", 4);
    expect_refusal(f, file, sizeof file, "firmware for UEFI");
    file[40] = 0x90;
    for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
        memset(reset, 0x90, 16);
        memcpy(reset, jumps[i], sizeof jumps[i]);
        expect_refusal(f, file, sizeof file, "--bios FILE");
    }
    assert_int_equal(load(f, file, sizeof file - 16, RAM_SIZE), 0); /* not the end */
}

static void test_disks(void **state)
{
    struct fixture *f = *state;
    static uint8_t disk[64 * KIB];

    memset(disk, 0, sizeof disk);
    disk[0] = 0xfa;
    disk[510] = 0x55;
    disk[511] = 0xaa;
    assert_int_equal(load(f, disk, 1024, RAM_SIZE), 0); /* a boot sector, and more of it */
    disk[446] = 0x80;
    disk[446 + 4] = 0x83;
    disk[446 + 9] = 8;
    expect_refusal(f, disk, 1024, "partitions");
    assert_int_equal(load(f, disk, 512, RAM_SIZE), 0);
    memset(disk + 446, 0, 64);
    memcpy(disk + 54, "FAT12   ", 8);
    assert_int_equal(load(f, disk, 4096, RAM_SIZE), 0);
    expect_refusal(f, disk, sizeof disk, "FAT");
    disk[54] = 0;
    disk[1024 + 56] = 0x53;
    disk[1024 + 57] = 0xef;
    disk[1024 + 58] = 1;
    expect_refusal(f, disk, sizeof disk, "ext4");
    disk[1024 + 24] = 7; /* blocks of 128 KiB do not exist */
    assert_int_equal(load(f, disk, sizeof disk, RAM_SIZE), 0);
}

/* The same text in UTF-16 of either byte order. */
static void widen(uint8_t *to, const char *text, unsigned high)
{
    for (size_t i = 0; text[i] != '\0'; i++) {
        to[2 * i + high] = 0;
        to[2 * i + 1 - high] = (uint8_t)text[i];
    }
}

static void test_text(void **state)
{
    static const char menu[] = "title Debian\nkernel /vmlinuz\n";
    static const uint8_t zeroes[600], code[] = {0xc3, 0x90, 'A', 'B'},
                                      halt[] = "letters\xf4 and others";
    struct fixture *f = *state;
    uint8_t wide[2 * sizeof menu];

    expect_refusal(f, menu, sizeof menu - 1, "text");
    expect_refusal(f, "hi\n", 3, "text");
    expect_refusal_named(f, "hello.S", "a source in assembly language: build it first");
    expect_refusal_named(f, "my.dir/x.c", "a source: compile and link it first");
    expect_refusal_named(f, "my.S/x", "text: neither");
    expect_refusal(f, "\x1b[31mred\x1b[0m\f", 13, "text");
    expect_refusal(f, "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4 README\n", 17, "text"); /* Korean */
    expect_refusal(f, zeroes, sizeof zeroes, "zeroes");
    expect_refusal(f, "\xff\xfeh\0", 4, "UTF-16");
    for (unsigned high = 0; high <= 1; high++) {
        widen(wide, menu, high);
        expect_refusal(f, wide, sizeof wide - 2, "UTF-16");
        wide[high] = 6; /* most of it */
        expect_refusal(f, wide, sizeof wide - 2, "UTF-16");
        wide[20 + high] = wide[21 - high] = 0; /* but no character is 0 */
        assert_int_equal(load(f, wide, sizeof wide - 2, RAM_SIZE), 0);
    }
    assert_int_equal(load(f, menu, 0, RAM_SIZE), 0);
    assert_int_equal(load(f, code, sizeof code, RAM_SIZE), 0);
    assert_int_equal(load(f, halt, sizeof halt - 1, RAM_SIZE), 0);
}

/* Code may be letters: the user says so by --load or --entry. */
static void test_letters_as_code(void **state)
{
    struct fixture *f = *state;

    f->config.has_load = true;
    f->config.load = 0x100;
    assert_int_equal(load(f, "BUST\n", 5, RAM_SIZE), 0);
    assert_int_equal(f->start.entry, 0x100);
    assert_memory_equal(f->ram + 0x100, "BUST\n", 5);
    f->config.has_load = false;
    f->config.has_entry = true;
    assert_int_equal(load(f, "BUST\n", 5, RAM_SIZE), 0);
    f->config.has_entry = false;
    assert_int_equal(load(f, "BUST\n", 5, RAM_SIZE), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_flat_places, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_boot_sector, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_flat_too_large, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_elf32, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_elf_refusals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_foreign_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_firmware_as_a_kernel, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_disks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_letters_as_code, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("boot", tests, NULL, NULL);
}
