/* Unit tests of boot/linux/: small kernels, made here, in each format, through the loaders. */
#include <bzlib.h>
#include <lzma.h>
#include <stddef.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "abi/pvh.h"
#include "boot/linux/bzimage.h"
#include "boot/linux/cached.h"
#include "boot/linux/params.h"
#include "boot/linux/unpack.h"
#include "cmocka_all.h"
#include "cpu/linux.h"
#include "linux_kernel.h"

#define RAM_SIZE (8 * MIB)
enum { FILE_ROOM = 64 * 1024 };

struct fixture {
    uint8_t *ram;
    struct memory memory;
    struct guest_config config;
    struct image image;
    struct image initrds[2];
    unsigned initrd_count;
    const struct cached_ops *cache;
    struct cpu_start start;
    struct error error;
    struct test_vmlinux vmlinux;
    uint8_t file[FILE_ROOM];
    size_t size;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    uint8_t packed[FILE_ROOM / 2];
    uint32_t length;

    f->ram = calloc(1, RAM_SIZE);
    memory_init(&f->memory, 0, RAM_SIZE, f->ram);
    test_vmlinux_make(&f->vmlinux);
    length = test_pack_lz4(packed, sizeof packed, &f->vmlinux, sizeof f->vmlinux);
    f->size = test_bzimage_wrap(f->file, packed, length, sizeof f->vmlinux);
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

static int load(struct fixture *f, const void *bytes, size_t size)
{
    struct boot_request request = {.config = &f->config,
                                   .image = &f->image,
                                   .memory = &f->memory,
                                   .limit = RAM_SIZE,
                                   .initrds = f->initrds,
                                   .initrd_count = f->initrd_count,
                                   .rsdp = 0xe0000,
                                   .cache = f->cache};
    const struct loader *loader;
    enum guest_mode mode;

    f->image = (struct image){.path = "kernel", .bytes = bytes, .size = size};
    f->error.text[0] = '\0';
    loader = loader_find(&f->image, &f->config);
    if (loader->mode(&f->image, f->config.mode, &mode, &f->error) < 0)
        return -1;
    assert_int_equal(mode, MODE_LINUX);
    return loader->load(&request, mode, &f->start, &f->error);
}

static struct setup_header *header_of(struct fixture *f)
{
    return (struct setup_header *)(f->file + 0x1f1);
}

static void expect_refusal(struct fixture *f, const char *word)
{
    assert_int_equal(load(f, f->file, f->size), -1);
    if (strstr(f->error.text, word) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", f->error.text, word);
}

static void test_unpacked(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(load(f, f->file, f->size), 0);
    assert_int_equal(f->start.kernel_entry, KERNEL_ENTRY_64);
    assert_int_equal(f->start.entry, TEST_KERNEL_AT);
    assert_int_equal(f->start.boot_info, LINUX_ZERO_PAGE);
    assert_memory_equal(f->ram + TEST_KERNEL_AT, f->vmlinux.code, TEST_CODE);
}

static void test_plain(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(load(f, &f->vmlinux, sizeof f->vmlinux), 0);
    assert_int_equal(f->start.entry, TEST_KERNEL_AT);
    assert_memory_equal(f->ram + TEST_KERNEL_AT, f->vmlinux.code, TEST_CODE);
}

static void test_pvh(void **state)
{
    struct fixture *f = *state;
    struct pvh_start_info info;
    struct pvh_memory map[3];

    f->config.kernel_entry = KERNEL_ENTRY_PVH;
    f->initrds[0] = (struct image){.bytes = (const uint8_t *)"initrd", .size = 6};
    f->initrd_count = 1;
    assert_int_equal(load(f, f->file, f->size), 0);
    assert_int_equal(f->start.entry, TEST_PVH_ENTRY);
    assert_int_equal(f->start.boot_info, LINUX_START_INFO);
    memcpy(&info, f->ram + LINUX_START_INFO, sizeof info);
    assert_int_equal(info.magic, PVH_START_MAGIC);
    assert_int_equal(info.rsdp, 0xe0000);
    assert_int_equal(info.module_count, 1);
    assert_int_equal(info.command_line, LINUX_COMMAND_LINE);
    assert_int_equal(info.memory_map_entries, 3);
    memcpy(map, f->ram + info.memory_map, sizeof map);
    assert_int_equal(map[2].address, MIB);
    assert_int_equal(map[2].size, RAM_SIZE - MIB);
    f->vmlinux.note.type = 17;
    assert_int_equal(load(f, &f->vmlinux, sizeof f->vmlinux), -1);
    assert_non_null(strstr(f->error.text, "no PVH entry"));
}

/* The decompressor's own entries are used for a packing that is not unpacked here, and if the
 * 32-bit entry is requested. */
static void test_own_decompressor(void **state)
{
    struct fixture *f = *state;

    f->config.kernel_entry = KERNEL_ENTRY_32;
    assert_int_equal(load(f, f->file, f->size), 0);
    assert_int_equal(f->start.kernel_entry, KERNEL_ENTRY_32);
    assert_int_equal(f->start.entry, TEST_KERNEL_AT);
    assert_memory_equal(f->ram + TEST_KERNEL_AT, f->file + TEST_SETUP, f->size - TEST_SETUP);
    f->config.kernel_entry = KERNEL_ENTRY_AUTO;
    f->file[TEST_SETUP + TEST_CODE] = 0x89; /* LZO */
    assert_int_equal(load(f, f->file, f->size), 0);
    assert_int_equal(f->start.kernel_entry, KERNEL_ENTRY_64);
    assert_int_equal(f->start.entry, TEST_KERNEL_AT + 0x200);
    f->config.kernel_entry = KERNEL_ENTRY_PVH;
    expect_refusal(f, "cannot unpack");
}

static void test_zero_page(void **state)
{
    struct fixture *f = *state;
    struct boot_params zero;

    f->config.append = "quiet root=/dev/vda";
    f->initrds[0] = (struct image){.bytes = (const uint8_t *)"first", .size = 5};
    f->initrds[1] = (struct image){.bytes = (const uint8_t *)"secondly", .size = 8};
    f->initrd_count = 2;
    assert_int_equal(load(f, f->file, f->size), 0);
    memcpy(&zero, f->ram + LINUX_ZERO_PAGE, sizeof zero);
    assert_int_equal(zero.hdr.boot_flag, 0xaa55);
    assert_int_equal(zero.hdr.type_of_loader, 0xff);
    assert_int_equal(zero.acpi_rsdp_addr, 0xe0000);
    assert_int_equal(zero.sentinel, 0);
    assert_int_equal(zero.e820_entries, 3);
    assert_int_equal(zero.e820_table[1].type, 2);
    assert_int_equal(zero.e820_table[2].addr, MIB);
    assert_int_equal(zero.hdr.ramdisk_size, 16);
    assert_int_equal(zero.hdr.ramdisk_image, RAM_SIZE - PAGE_SIZE);
    assert_memory_equal(f->ram + zero.hdr.ramdisk_image, "first\0\0\0secondly", 16);
    assert_string_equal((char *)f->ram + zero.hdr.cmd_line_ptr,
                        "console=ttyS0 panic=-1 reboot=k,panic_warm pci=off quiet root=/dev/vda");
}

static void test_too_large(void **state)
{
    static uint8_t huge[RAM_SIZE];
    struct fixture *f = *state;
    char line[300];

    f->initrds[0] = (struct image){.bytes = huge, .size = sizeof huge};
    f->initrd_count = 1;
    expect_refusal(f, "initial ramdisk of 8192K does not fit");
    f->initrd_count = 0;
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    f->config.append = line;
    expect_refusal(f, "this kernel takes 255");
    f->config.append = NULL;
    header_of(f)->init_size = 6 << 20;
    assert_int_equal(load(f, f->file, f->size), 0);
    header_of(f)->init_size = (6 << 20) + 1;
    expect_refusal(f, "needs 9M of memory");
}

static void test_bad_headers(void **state)
{
    struct fixture *f = *state;
    size_t whole = f->size;
    struct bzimage b;

    for (f->size = 0x211; f->size < whole - 15; f->size += 7) /* the last paragraph may be short */
        expect_refusal(f, "kernel");
    f->size = whole;
    header_of(f)->version = 0x205;
    expect_refusal(f, "boot protocol 2.05");
    header_of(f)->version = 0x203; /* for firmware; before 2.04 the size says nothing */
    assert_int_equal(bzimage_open(&b, &f->image, BZIMAGE_OLDEST_FIRMWARE, &f->error), 0);
    header_of(f)->version = 0x20f;
    header_of(f)->loadflags = 0;
    expect_refusal(f, "zImage");
    header_of(f)->loadflags = LOADED_HIGH;
    header_of(f)->payload_length = 1 << 20;
    expect_refusal(f, "outside the file");
    header_of(f)->payload_length = (uint32_t)(whole - TEST_SETUP - TEST_CODE);
    header_of(f)->pref_address = 0x1000;
    expect_refusal(f, "impossible");
    f->config.mode = MODE_LONG;
    expect_refusal(f, "without a mode");
}

/* With any bit flipped, there is a clear error, or a kernel that is loaded into memory. Without its
 * magic numbers it is not a kernel, but flat code. */
static void test_flipped_bits(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < f->size; i++) {
        f->file[i] ^= 0x10;
        f->image = (struct image){.path = "kernel", .bytes = f->file, .size = f->size};
        if (loader_find(&f->image, &f->config) == &loader_bzimage && load(f, f->file, f->size) < 0)
            assert_true(f->error.text[0] != '\0');
        f->file[i] ^= 0x10;
    }
}

static uint32_t pack(const char *format, uint8_t *out, uint32_t room, const void *in, uint32_t size)
{
    size_t done = 0;
    unsigned small = room;

    if (strcmp(format, "lz4") == 0)
        return test_pack_lz4(out, room, in, size);
    if (strcmp(format, "zstd") == 0)
        return (uint32_t)ZSTD_compress(out, room, in, size, 3);
    if (strcmp(format, "xz") == 0) {
        assert_int_equal(
            lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, in, size, out, &done, room),
            LZMA_OK);
        return (uint32_t)done;
    }
    if (strcmp(format, "lzma") == 0) {
        lzma_stream z = LZMA_STREAM_INIT;
        lzma_options_lzma preset;

        lzma_lzma_preset(&preset, 1);
        assert_int_equal(lzma_alone_encoder(&z, &preset), LZMA_OK);
        z.next_in = in;
        z.avail_in = size;
        z.next_out = out;
        z.avail_out = room;
        assert_int_equal(lzma_code(&z, LZMA_FINISH), LZMA_STREAM_END);
        lzma_end(&z);
        return room - (uint32_t)z.avail_out;
    }
    assert_int_equal(BZ2_bzBuffToBuffCompress((char *)out, &small, (char *)in, size, 1, 0, 0),
                     BZ_OK);
    return small;
}

static uint32_t pack_gzip(uint8_t *out, uint32_t room, const void *in, uint32_t size)
{
    z_stream z = {.next_in = (uint8_t *)in, .avail_in = size, .next_out = out, .avail_out = room};

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return (uint32_t)z.total_out -
           4; /* its last four bytes are the size, which test_bzimage_wrap adds */
}

static void test_formats(void **state)
{
    static const char *const names[] = {"lz4", "zstd", "xz", "lzma", "bzip2", "gzip"};
    struct fixture *f = *state;
    uint8_t packed[FILE_ROOM / 2];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint32_t n = strcmp(names[i], "gzip") == 0
                         ? pack_gzip(packed, sizeof packed, &f->vmlinux, sizeof f->vmlinux)
                         : pack(names[i], packed, sizeof packed, &f->vmlinux, sizeof f->vmlinux);

        f->size = test_bzimage_wrap(f->file, packed, n, sizeof f->vmlinux);
        assert_string_equal(unpack_format(packed, n), names[i]);
        memset(f->ram + TEST_KERNEL_AT, 0, TEST_CODE);
        assert_int_equal(load(f, f->file, f->size), 0);
        assert_memory_equal(f->ram + TEST_KERNEL_AT, f->vmlinux.code, TEST_CODE);
        f->size = test_bzimage_wrap(f->file, packed, n, sizeof f->vmlinux - 1);
        expect_refusal(f, "damaged"); /* it unpacks to more than its size says */
        f->size = test_bzimage_wrap(f->file, packed, n / 2, sizeof f->vmlinux);
        expect_refusal(f, "damaged");
    }
}

static void test_kept_form(void **state)
{
    enum { SIZE = 1000 };
    static uint8_t file[CACHED_OFFSET + SIZE];
    static const uint8_t secret[SIPHASH_SECRET] = {1};
    struct cached_key key = cached_key_of(secret, (const uint8_t *)"packed", 6), other = key;
    struct cached_header header;
    size_t size;

    (void)state;
    for (unsigned i = 0; i < SIZE; i++)
        file[CACHED_OFFSET + i] = (uint8_t)(i * 7);
    header = cached_header_of(&key, file + CACHED_OFFSET, SIZE);
    memcpy(file, &header, sizeof header);
    assert_ptr_equal(cached_open(file, sizeof file, &key, &size), file + CACHED_OFFSET);
    assert_int_equal(size, SIZE);
    for (unsigned i = 0; i < SIZE; i++) {
        file[CACHED_OFFSET + i] ^= 1;
        assert_null(cached_open(file, sizeof file, &key, &size));
        file[CACHED_OFFSET + i] ^= 1;
    }
    other.size++;
    assert_null(cached_open(file, sizeof file, &other, &size));
    other = key;
    other.hash[SIPHASH_SIZE - 1] ^= 1;
    assert_null(cached_open(file, sizeof file, &other, &size));
    assert_null(cached_open(file, sizeof file - 1, &key, &size));
    assert_null(cached_open(file, CACHED_OFFSET, &key, &size));
    file[0] ^= 1;
    assert_null(cached_open(file, sizeof file, &key, &size));
}

/* A cache of one kernel. */
static struct {
    struct cached_key key;
    uint8_t *bytes;
    size_t size;
    unsigned finds, releases;
    bool closed, cut;
} test_shelf;

static bool shelf_secret(uint8_t secret[SIPHASH_SECRET])
{
    memset(secret, 7, SIPHASH_SECRET);
    return !test_shelf.closed;
}

static bool shelf_find(const struct cached_key *key, struct cached_kernel *kernel)
{
    test_shelf.finds++;
    if (test_shelf.bytes == NULL || memcmp(key, &test_shelf.key, sizeof *key) != 0)
        return false;
    *kernel = (struct cached_kernel){.bytes = test_shelf.bytes, .size = test_shelf.size};
    return true;
}

static bool shelf_release(struct cached_kernel *kernel)
{
    test_shelf.releases += kernel->bytes == test_shelf.bytes;
    return !test_shelf.cut;
}

static void shelf_keep(const struct cached_key *key, uint8_t *bytes, size_t size)
{
    free(test_shelf.bytes);
    test_shelf.key = *key;
    test_shelf.bytes = bytes;
    test_shelf.size = size;
}

static void test_keeping(void **state)
{
    static const struct cached_ops ops = {
        .secret = shelf_secret, .find = shelf_find, .release = shelf_release, .keep = shelf_keep};
    struct fixture *f = *state;

    f->cache = &ops;
    assert_int_equal(load(f, f->file, f->size), 0);
    assert_int_equal(test_shelf.size, sizeof f->vmlinux);
    assert_memory_equal(test_shelf.bytes, &f->vmlinux, sizeof f->vmlinux);
    test_shelf.bytes[TEST_CODE] = 0xcc; /* in memory, this byte can only come from the cache */
    assert_int_equal(load(f, f->file, f->size), 0);
    assert_int_equal(f->ram[TEST_KERNEL_AT], 0xcc);
    assert_int_equal(test_shelf.finds, 2);
    test_shelf.cut = true; /* the cache's file was truncated while it was copied */
    expect_refusal(f, "cut short");
    f->file[f->size - 60] ^= 1; /* another kernel: not the cached one */
    f->config.kernel_entry = KERNEL_ENTRY_PVH;
    (void)!load(f, f->file, f->size);
    assert_int_equal(test_shelf.releases, 2);
    test_shelf.finds = 0;
    test_shelf.closed = true; /* no secret, no cache */
    (void)!load(f, f->file, f->size);
    assert_int_equal(test_shelf.finds, 0);
    free(test_shelf.bytes);
}

static void test_command_line(void **state)
{
    static const struct {
        const char *append, *line;
        bool tells;
    } cases[] = {
        {NULL, "console=ttyS0 panic=-1 reboot=k,panic_warm pci=off", true},
        {"console=tty0", "panic=-1 reboot=k,panic_warm pci=off console=tty0", true},
        {"quiet reboot=t", "console=ttyS0 panic=-1 pci=off quiet reboot=t", false},
        {"netconsole=x", "console=ttyS0 panic=-1 reboot=k,panic_warm netconsole=x", true},
        {" panic=0 -- pci=", "console=ttyS0 reboot=k,panic_warm pci=off  panic=0 -- pci=", true},
    };
    char line[128];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(linux_command_line(line, sizeof line, cases[i].append,
                                            strstr(cases[i].line, "pci=off") == NULL),
                         strlen(cases[i].line));
        assert_string_equal(line, cases[i].line);
        assert_int_equal(linux_reset_is_panic(cases[i].append), cases[i].tells);
    }
    assert_int_equal(linux_command_line(line, 8, "quiet", false), strlen(cases[0].line) + 6);
    assert_string_equal(line, "console");
}

/* A wrong checksum is an error, but a signature that was added later does not break it. */
static void test_checksum(void **state)
{
    enum { PE = 0x80 };
    struct fixture *f = *state;
    uint32_t sum, pe = PE;

    memcpy(f->file, "MZ", 2);
    memcpy(f->file + 0x3c, &pe, sizeof pe);
    memcpy(f->file + PE, "PE\0", 4);
    sum = ~(uint32_t)crc32_z(0, f->file, f->size - sizeof sum);
    memcpy(f->file + f->size - sizeof sum, &sum, sizeof sum);
    assert_int_equal(load(f, f->file, f->size), 0);
    memset(f->file + PE + 24 + 64, 0x5a, 4);
    memset(f->file + PE + 24 + 128, 0x5a, 8);
    memset(f->file + f->size, 0x5a, 512);
    assert_int_equal(load(f, f->file, f->size + 512), 0);
    f->file[f->size / 2] ^= 1;
    expect_refusal(f, "checksum");
}

static void test_words_that_switch_the_lapic_off(void **state)
{
    (void)state;
    assert_true(linux_has_no_lapic("quiet nolapic"));
    assert_true(linux_has_no_lapic("acpi=off quiet"));
    assert_true(linux_has_no_lapic("disableapic"));
    assert_false(linux_has_no_lapic(NULL));
    assert_false(linux_has_no_lapic("nolapic_timer acpi=offline"));
    assert_false(linux_has_no_lapic("quiet -- nolapic"));
}

static void test_reset_flag(void **state)
{
    struct fixture *f = *state;

    assert_true(linux_mark_flag(&f->memory));
    assert_false(linux_is_resetting(&f->memory) || linux_reset_is_warm(&f->memory));
    f->ram[0x472] = 0x34;
    f->ram[0x473] = 0x12;
    assert_true(linux_reset_is_warm(&f->memory) && linux_is_resetting(&f->memory));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_unpacked),     TEST(test_plain),
        TEST(test_pvh),          TEST(test_own_decompressor),
        TEST(test_zero_page),    TEST(test_too_large),
        TEST(test_formats),      TEST(test_bad_headers),
        TEST(test_flipped_bits), TEST(test_command_line),
        TEST(test_kept_form),    TEST(test_keeping),
        TEST(test_reset_flag),   TEST(test_words_that_switch_the_lapic_off),
        TEST(test_checksum),
    };

    return cmocka_run_group_tests_name("linux", tests, NULL, NULL);
}
