/* Unit tests of boot/multiboot.c and multiboot_info.c: headers of both versions, and where files
 * are loaded. */
#include "abi/multiboot2.h"
#include "boot/multiboot.h"
#include "load_fixture.h"

static void test_multiboot_header(void **state)
{
    struct fixture *f = *state;
    struct file32 file = elf32(0x200000);

    file.multiboot[0] = MULTIBOOT_HEADER_MAGIC;
    file.multiboot[1] = 2;
    file.multiboot[2] = -(uint32_t)(MULTIBOOT_HEADER_MAGIC + 2);
    assert_int_equal(load(f, &file, sizeof file, LIMIT), 0);
    assert_false(f->start.paging);
    assert_int_equal(f->start.boot_magic, MULTIBOOT_BOOT_MAGIC);
    file.multiboot[2]++; /* a wrong checksum: no header */
    assert_int_equal(load(f, &file, sizeof file, LIMIT), 0);
    assert_true(f->start.paging);
}

/* A kernel linked high and loaded low is entered where the entry's segment is loaded. */
static void test_multiboot_entry(void **state)
{
    struct fixture *f = *state;
    struct file32 file = elf32(0xc0200000);

    file.segment.paddr = 0x200000;
    file.header.entry = 0xc0200008;
    file.multiboot[0] = MULTIBOOT_HEADER_MAGIC;
    file.multiboot[2] = -(uint32_t)MULTIBOOT_HEADER_MAGIC;
    assert_int_equal(load(f, &file, sizeof file, LIMIT), 0);
    assert_int_equal(f->start.entry, 0x200008);
    f->config.has_entry = true;
    f->config.entry = 0x200004;
    assert_int_equal(load(f, &file, sizeof file, LIMIT), 0);
    assert_int_equal(f->start.entry, 0x200004);
}

struct flat_kernel {
    uint32_t before[4];
    struct multiboot_header header;
    uint32_t code[4];
};

/* A kernel that is loaded from the word before its header on, with 0x1000 bytes in all. */
static struct flat_kernel flat_kernel(void)
{
    const uint32_t flags = MULTIBOOT_HAS_ADDRESSES;

    return (struct flat_kernel){.before = {1, 2, 3, 4},
                                .header = {.magic = MULTIBOOT_HEADER_MAGIC,
                                           .flags = flags,
                                           .checksum = -(MULTIBOOT_HEADER_MAGIC + flags),
                                           .header_addr = 0x100004,
                                           .load_addr = 0x100000,
                                           .bss_end_addr = 0x101000,
                                           .entry_addr = 0x100034},
                                .code = {5, 6, 7, 8}};
}

static void test_multiboot_addresses(void **state)
{
    struct fixture *f = *state;
    struct flat_kernel k = flat_kernel();

    assert_int_equal(load(f, &k, sizeof k, LIMIT), 0);
    assert_int_equal(f->start.entry, 0x100034);
    assert_memory_equal(f->ram + 0x100000, "\4\0\0\0", 4);
    assert_memory_equal(f->ram + 0x100034, "\5\0\0\0", 4);
    k.header.load_end_addr = 0x100038;
    memset(f->ram + 0x100000, 0, 0x100);
    assert_int_equal(load(f, &k, sizeof k, LIMIT), 0);
    assert_memory_equal(f->ram + 0x100034, "\5\0\0\0\0\0\0\0", 8);
    k.header.load_end_addr = 0x100048; /* the file has 4 bytes less */
    assert_int_equal(load(f, &k, sizeof k, LIMIT), -1);
    k.header.load_end_addr = 0xfffff;
    assert_int_equal(load(f, &k, sizeof k, LIMIT), -1);
    k = flat_kernel();
    k.header.load_addr = 0xffff0; /* 20 bytes before the header; the file has 16 */
    assert_int_equal(load(f, &k, sizeof k, LIMIT), -1);
    k = flat_kernel();
    k.header.bss_end_addr = LIMIT + 1;
    assert_int_equal(load(f, &k, sizeof k, LIMIT), -1);
    f->config.mode = MODE_REAL;
    k = flat_kernel();
    assert_int_equal(load(f, &k, sizeof k, LIMIT), -1);
}

static void test_multiboot_demands(void **state)
{
    struct fixture *f = *state;
    struct flat_kernel k = flat_kernel();

    k.header.flags |= MULTIBOOT_WANT_VIDEO;
    k.header.checksum = -(MULTIBOOT_HEADER_MAGIC + k.header.flags);
    assert_int_equal(load(f, &k, sizeof k, LIMIT), -1);
    assert_non_null(strstr(f->error.text, "a graphics screen"));
    k.header.mode_type = MULTIBOOT_VIDEO_TEXT;
    assert_int_equal(load(f, &k, sizeof k, LIMIT), 0);
    k.header.flags |= 8;
    k.header.checksum = -(MULTIBOOT_HEADER_MAGIC + k.header.flags);
    assert_int_equal(load(f, &k, sizeof k, LIMIT), -1);
}

static void test_multiboot_modules(void **state)
{
    struct fixture *f = *state;
    struct flat_kernel k = flat_kernel();
    struct multiboot_info *info;
    struct multiboot_module *m;

    f->initrds[0] = (struct image){.path = "first", .bytes = (const uint8_t *)"one", .size = 3};
    f->initrds[1] =
        (struct image){.path = "x", .name = "its name", .bytes = (const uint8_t *)"2", .size = 1};
    f->initrd_count = 2;
    assert_int_equal(load(f, &k, sizeof k, LIMIT), 0);
    info = memory_at(&f->memory, f->start.boot_info, sizeof *info);
    assert_true(info->flags & MULTIBOOT_INFO_MODS);
    assert_int_equal(info->mods_count, 2);
    m = memory_at(&f->memory, info->mods_addr, 2 * sizeof *m);
    assert_int_equal(m[0].start, 0x101000);
    assert_int_equal(m[0].end, 0x101003);
    assert_memory_equal(f->ram + m[0].start, "one", 3);
    assert_string_equal((const char *)f->ram + m[0].string, "first");
    assert_int_equal(m[1].start, 0x102000);
    assert_string_equal((const char *)f->ram + m[1].string, "its name");
    f->initrds[1].size = RAM_SIZE;
    assert_int_equal(load(f, &k, sizeof k, LIMIT), -1);
    assert_non_null(strstr(f->error.text, "x: 4194304 bytes do not fit"));
}

struct kernel2 {
    struct multiboot2_header header;
    struct multiboot2_addresses addresses;
    struct multiboot2_entry entry;
    uint32_t pad;
    struct {
        struct multiboot2_header_tag tag;
        uint32_t types[2];
    } request;
    struct multiboot2_header_tag end;
};

static struct kernel2 kernel2(void)
{
    const uint32_t length = sizeof(struct kernel2);

    return (struct kernel2){
        .header = {MULTIBOOT2_HEADER_MAGIC, MULTIBOOT2_I386, length,
                   -(MULTIBOOT2_HEADER_MAGIC + MULTIBOOT2_I386 + length)},
        .addresses = {{MULTIBOOT2_HEADER_ADDRESSES, 0, 24}, 0x100000, 0x100000, 0, 0},
        .entry = {{MULTIBOOT2_HEADER_ENTRY, 0, 12}, 0x100010},
        .request = {{MULTIBOOT2_HEADER_INFORMATION, 0, 16}, {MULTIBOOT2_MMAP, MULTIBOOT2_RSDP_1}},
        .end = {MULTIBOOT2_HEADER_END, 0, 8},
    };
}

/* The first tag of a type in the information; NULL if it has none. */
static uint8_t *find_tag(struct fixture *f, uint32_t type)
{
    uint8_t *info = f->ram + f->start.boot_info;
    uint32_t total;

    memcpy(&total, info, sizeof total);
    for (uint32_t at = 8; at < total;) {
        struct multiboot2_tag tag;

        memcpy(&tag, info + at, sizeof tag);
        if (tag.type == type)
            return info + at + sizeof tag;
        at += (tag.size + 7) & ~7u;
    }
    return NULL;
}

static void test_multiboot2(void **state)
{
    struct fixture *f = *state;
    struct kernel2 k = kernel2();
    uint32_t words[2];

    f->config.append = "a b";
    f->rsdp = 0xe0000;
    memcpy(f->ram + f->rsdp, "RSD PTR ", 8);
    f->initrds[0] = (struct image){.path = "module", .bytes = (const uint8_t *)"one", .size = 3};
    f->initrd_count = 1;
    assert_int_equal(load(f, &k, sizeof k, LIMIT), 0);
    assert_int_equal(f->start.entry, 0x100010);
    assert_int_equal(f->start.boot_magic, MULTIBOOT2_BOOT_MAGIC);
    assert_string_equal((const char *)find_tag(f, MULTIBOOT2_CMDLINE), "image a b");
    assert_memory_equal(find_tag(f, MULTIBOOT2_RSDP_1), "RSD PTR ", 8);
    memcpy(words, find_tag(f, MULTIBOOT2_MODULE), sizeof words);
    assert_int_equal(words[1] - words[0], 3);
    assert_memory_equal(f->ram + words[0], "one", 3);
    assert_string_equal((const char *)find_tag(f, MULTIBOOT2_MODULE) + 8, "module");
    memcpy(words, find_tag(f, MULTIBOOT2_MEMORY), sizeof words);
    assert_int_equal(words[0], 640);
    assert_non_null(find_tag(f, MULTIBOOT2_MMAP));
    k.request.types[0] = 9; /* the kernel's own symbols */
    assert_int_equal(load(f, &k, sizeof k, LIMIT), -1);
    k.request.tag.flags = MULTIBOOT2_OPTIONAL;
    assert_int_equal(load(f, &k, sizeof k, LIMIT), 0);
    k = kernel2();
    k.addresses.tag.size = 0; /* smaller than a tag's own head: the rest is not read */
    assert_int_equal(load(f, &k, sizeof k, LIMIT), 0);
    assert_int_equal(f->start.boot_magic, 0);
}

static void test_multiboot_info(void **state)
{
    struct fixture *f = *state;
    gpa_t reserved = cpu_reserved_protected(&f->memory);
    gpa_t at = cpu_boot_info_address(reserved);
    struct multiboot_info *info = memory_at(&f->memory, at, sizeof *info);
    struct multiboot_mmap_entry *map;
    struct multiboot_facts facts = {
        .memory = &f->memory, .at = at, .reserved = reserved, .name = "a.bin"};
    uint64_t available = 0;
    struct error error;

    assert_int_equal(multiboot_write_info(&facts, &error), 0);
    assert_string_equal(memory_at(&f->memory, info->cmdline, 6), "a.bin");
    facts.append = "b c";
    assert_int_equal(multiboot_write_info(&facts, &error), 0);
    assert_int_equal(info->flags, MULTIBOOT_INFO_MEMORY | MULTIBOOT_INFO_CMDLINE |
                                      MULTIBOOT_INFO_MMAP | MULTIBOOT_INFO_LOADER_NAME);
    assert_int_equal(info->mem_lower, 640);
    assert_int_equal(info->mem_upper, (reserved - MIB) / KIB);
    assert_string_equal(memory_at(&f->memory, info->cmdline, 10), "a.bin b c");
    assert_string_equal(memory_at(&f->memory, info->boot_loader_name, 32), MULTIBOOT_LOADER_NAME);
    facts.virtio = 2;
    assert_int_equal(multiboot_write_info(&facts, &error), 0);
    assert_string_equal(memory_at(&f->memory, info->cmdline, 80),
                        "a.bin virtio_mmio.device=4K@0xd0000000:16 "
                        "virtio_mmio.device=4K@0xd0001000:17 b c");
    map = memory_at(&f->memory, info->mmap_addr, info->mmap_length);
    assert_non_null(map);
    for (uint32_t i = 0; i < info->mmap_length / sizeof *map; i++)
        if (map[i].type == MULTIBOOT_MEMORY_AVAILABLE)
            available += map[i].length;
    assert_int_equal(available, 640 * KIB + reserved - MIB);
}

/* What Xen uses of a BIOS: the size of low memory, and calls in real mode, which fail. A kernel
 * that is loaded there overwrites it. */
static void test_multiboot_bios(void **state)
{
    struct fixture *f = *state;
    struct flat_kernel k = flat_kernel();
    uint16_t low;
    uint32_t vector;

    assert_int_equal(load(f, &k, sizeof k, LIMIT), 0);
    memcpy(&low, f->ram + 0x413, sizeof low);
    memcpy(&vector, f->ram + 4 * 0x15, sizeof vector);
    assert_int_equal(low, 640);
    assert_int_equal(vector, 0xf000ff00);
    assert_memory_equal(f->ram + 0xfff00, "\x55\x89\xe5\x80\x4e\x06\x01\x5d\xcf", 9);
    k.header.header_addr = 0x404;
    k.header.load_addr = 0x400;
    k.header.bss_end_addr = 0x1000;
    k.header.entry_addr = 0x434;
    assert_int_equal(load(f, &k, sizeof k, LIMIT), 0);
    assert_memory_equal(f->ram + 0x400, "\4\0\0\0", 4);
    k.header.load_addr = k.header.header_addr = 0;
    k.header.bss_end_addr = 0x1000;
    assert_int_equal(load(f, &k, sizeof k, LIMIT), 0);
    memcpy(&low, f->ram + 0x413, sizeof low);
    assert_int_equal(low, 0); /* its zeroed data */
}

/* A command line that does not fit is refused, not cut: an option must arrive unchanged. */
static void test_multiboot_command_line_limit(void **state)
{
    struct fixture *f = *state;
    gpa_t reserved = cpu_reserved_protected(&f->memory);
    gpa_t at = cpu_boot_info_address(reserved);
    struct multiboot_info *info = memory_at(&f->memory, at, sizeof *info);
    char append[2048] = {0};
    struct multiboot_facts facts = {
        .memory = &f->memory, .at = at, .reserved = reserved, .name = "k", .append = append};
    struct error error;

    memset(append, 'x', 2045);
    assert_int_equal(multiboot_write_info(&facts, &error), 0);
    assert_int_equal(strlen(memory_at(&f->memory, info->cmdline, 2048)), 2047);
    append[2045] = 'x';
    assert_int_equal(multiboot_write_info(&facts, &error), -1);
    assert_non_null(strstr(error.text, "command line is longer than 2047 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_multiboot_header, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_multiboot_entry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_multiboot_addresses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_multiboot_demands, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_multiboot_modules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_multiboot2, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_multiboot_info, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_multiboot_bios, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_multiboot_command_line_limit, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
