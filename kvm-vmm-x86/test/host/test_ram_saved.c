/* Unit tests of host/ram_saved.c and host/files/pack.c, with folder.c: memory in layers, packed or
 * not, is restored unchanged, and a damaged file is an error. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "host/files/folder.h"
#include "host/files/pack.h"
#include "host/ram.h"
#include "host/ram_saved.h"

enum { CHANGED = 5 };
enum { PAGES = 300, ROM_PAGES = 2, WORDS = (PAGES + ROM_PAGES + 63) / 64 };
#define RAM ((uint64_t)PAGES * PAGE_SIZE)
#define ROM ((uint64_t)ROM_PAGES * PAGE_SIZE)

static const bool never;

/* RAM in two slots, and firmware. */
static void make(struct memory *memory)
{
    static const uint8_t rom[ROM] = {[0] = 0x55, [ROM - 1] = 0xaa};
    struct error error;

    *memory = (struct memory){.count = 2};
    memory->slots[0] = (struct memory_slot){.size = RAM / 2, .fd = -1};
    memory->slots[1] = (struct memory_slot){.base = GIB, .size = RAM / 2, .fd = -1};
    assert_int_equal(ram_map(memory, MEMORY_ANONYMOUS, NULL, &error), 0);
    assert_int_equal(ram_add_rom(memory, 4 * GIB - ROM, rom, ROM, &error), 0);
}

static void empty(struct memory *memory)
{
    *memory = (struct memory){.count = 2};
    memory->slots[0] = (struct memory_slot){.size = RAM / 2, .fd = -1};
    memory->slots[1] = (struct memory_slot){.base = GIB, .size = RAM / 2, .fd = -1};
}

/* The number of bytes of the pages in the logs. */
static uint64_t logged(uint64_t *const *logs)
{
    uint64_t pages = 0;

    for (unsigned slot = 0; slot < 2; slot++)
        for (unsigned word = 0; word < WORDS; word++)
            pages += (unsigned)__builtin_popcountll(logs[slot][word]);
    return pages * PAGE_SIZE;
}

static void write_file(const char *path, const struct memory *memory, uint64_t *const *logs,
                       bool packed)
{
    struct folder_files files = {.names = {"ram"}, .count = 1};
    struct folder_memory from = {.memory = memory, .logs = logs, .packed = packed};
    struct folder folder;
    struct error error;
    uint32_t sum, again;

    files.fds[0] = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(files.fds[0] >= 0);
    folder_open(&folder, "", &files, &never);
    assert_int_equal(folder_put_memory(&folder, "ram", &from, &sum, &error), 0);
    assert_int_equal((packed ? folder_sum_packed : folder_sum)(
                         "/tmp", strrchr(path, '/') + 1,
                         packed && logs != NULL ? logged(logs) : memory_bytes(memory), &again,
                         &error),
                     0);
    assert_int_equal(sum, again);
}

static void assert_same(const struct memory *a, const struct memory *b)
{
    assert_int_equal(a->count, b->count);
    for (unsigned i = 0; i < a->count; i++) {
        assert_int_equal(a->slots[i].size, b->slots[i].size);
        assert_int_equal(a->slots[i].base, b->slots[i].base);
        assert_memory_equal(a->slots[i].host, b->slots[i].host, a->slots[i].size);
    }
}

/* The changes between two layers: a page gets bytes, one becomes zeroes, in both slots. */
static void change(struct memory *memory, uint64_t *map)
{
    static const unsigned pages[CHANGED] = {3, 70, 149, 150, 299};

    memset(map, 0, WORDS * sizeof *map);
    for (unsigned i = 0; i < CHANGED; i++) {
        unsigned slot = pages[i] >= PAGES / 2, page = pages[i] - slot * (PAGES / 2);

        memset(memory->slots[slot].host + (uint64_t)page * PAGE_SIZE, i == 1 ? 0 : (int)i + 1,
               PAGE_SIZE);
        map[pages[i] / 64] |= UINT64_C(1) << pages[i] % 64;
    }
}

static void split(const uint64_t *map, uint64_t *first, uint64_t *second)
{
    for (unsigned page = 0; page < PAGES; page++) {
        uint64_t *to = page < PAGES / 2 ? first : second;
        unsigned at = page % (PAGES / 2);

        if (map[page / 64] >> page % 64 & 1)
            to[at / 64] |= UINT64_C(1) << at % 64;
    }
}

/* Loads memory. -1: nothing is mapped. */
static int load(struct memory *memory, const struct saved_layer *layers, unsigned count,
                struct error *error)
{
    if (ram_map_saved(memory, layers, ROM, error) < 0)
        return -1;
    if (ram_read_saved(memory, layers, count, error) == 0)
        return 0;
    ram_unmap(memory);
    return -1;
}

static void test_layers(void **state)
{
    (void)state;
    for (unsigned packed = 0; packed < 4; packed++) {
        char lower[] = "/tmp/ram_lower_XXXXXX", upper[] = "/tmp/ram_upper_XXXXXX";
        uint64_t map[WORDS], first[WORDS] = {0}, second[WORDS] = {0};
        uint64_t *logs[MEMORY_SLOTS_MAX] = {first, second};
        struct saved_layer layers[] = {{.ram = lower, .packed = packed & 1},
                                       {.ram = upper, .packed = packed >> 1, .pages = map}};
        struct memory memory, again;
        struct error error;

        close(mkstemp(lower));
        close(mkstemp(upper));
        make(&memory);
        for (unsigned page = 0; page < PAGES / 2; page += 7)
            memset(memory.slots[page & 1].host + (uint64_t)page * PAGE_SIZE, (int)page + 1, 100);
        write_file(lower, &memory, NULL, packed & 1);
        empty(&again);
        assert_int_equal(load(&again, layers, 1, &error), 0);
        assert_same(&memory, &again);
        ram_unmap(&again);
        change(&memory, map);
        split(map, first, second);
        write_file(upper, &memory, logs, packed >> 1);
        empty(&again);
        assert_int_equal(load(&again, layers, 2, &error), 0);
        assert_same(&memory, &again);
        ram_unmap(&again);
        map[WORDS - 1] |= UINT64_C(1) << 63; /* there is no such page */
        empty(&again);
        assert_int_equal(load(&again, layers, 2, &error), 0);
        assert_same(&memory, &again);
        ram_unmap(&again);
        map[0] |= 1; /* a packed layer has no further page */
        empty(&again);
        assert_int_equal(load(&again, layers, 2, &error), packed >> 1 ? -1 : 0);
        if (packed >> 1)
            assert_non_null(strstr(error.text, "not 24576"));
        else
            ram_unmap(&again);
        assert_int_equal(truncate(upper, 10), 0); /* its pages are not in the file */
        empty(&again);
        assert_int_equal(load(&again, layers, 2, &error), -1);
        assert_non_null(strstr(error.text, upper));
        assert_non_null(strstr(error.text, "cut short"));
        ram_unmap(&memory);
        remove(lower);
        remove(upper);
    }
}

/* A diff of a guest that wrote nothing. */
static void test_nothing_changed(void **state)
{
    char lower[] = "/tmp/ram_lower_XXXXXX", upper[] = "/tmp/ram_upper_XXXXXX";
    uint64_t map[WORDS] = {0}, none[WORDS] = {0};
    uint64_t *logs[MEMORY_SLOTS_MAX] = {none, none};
    struct saved_layer layers[] = {{.ram = lower}, {.ram = upper, .packed = true, .pages = map}};
    struct memory memory, again;
    struct error error;

    (void)state;
    close(mkstemp(lower));
    close(mkstemp(upper));
    make(&memory);
    memory.slots[1].host[5] = 1;
    write_file(lower, &memory, NULL, false);
    write_file(upper, &memory, logs, true);
    empty(&again);
    assert_int_equal(load(&again, layers, 2, &error), 0);
    assert_same(&memory, &again);
    ram_unmap(&again);
    ram_unmap(&memory);
    remove(lower);
    remove(upper);
}

/* The unpacked bytes. */
struct unpacked {
    uint8_t bytes[40001];
    uint64_t count;
};

static int keep(void *context, const uint8_t *bytes, size_t size, uint64_t at)
{
    struct unpacked *to = context;

    assert_int_equal(to->count, at);
    assert_true(at + size <= sizeof to->bytes);
    memcpy(to->bytes + at, bytes, size);
    to->count += size;
    return 0;
}

static int unpack(int fd, uint64_t size, struct unpacked *to, struct error *error)
{
    to->count = 0;
    assert_true(lseek(fd, 0, SEEK_SET) == 0);
    return pack_read(fd, "FILE", size, keep, to, error);
}

/* A wrong size, changed bytes, another kind of file: each is an error, unless a changed bit has no
 * meaning and the result is still correct. */
static void test_damaged(void **state)
{
    int fd = memfd_create("packed", 0);
    struct pack *pack = pack_open(fd, &never);
    static struct unpacked good, bad;
    uint8_t bytes[1000];
    struct error error;
    unsigned refused = 0;
    off_t end;

    (void)state;
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * i >> 3);
    assert_int_equal(pack_write(pack, bytes, sizeof bytes, 5000), 0);
    assert_int_equal(pack_end(pack, 40000), 0);
    pack_close(pack);
    end = lseek(fd, 0, SEEK_END);
    assert_int_equal(unpack(fd, 40000, &good, &error), 0);
    assert_memory_equal(good.bytes + 5000, bytes, sizeof bytes);
    assert_int_equal(unpack(fd, 39999, &bad, &error), -1);
    assert_string_equal(error.text, "FILE is damaged: it holds more than 39999 bytes");
    assert_int_equal(unpack(fd, 40001, &bad, &error), -1);
    assert_string_equal(error.text, "FILE is damaged: it holds 40000 bytes, not 40001");
    for (off_t at = 0; at < end; at++) {
        uint8_t kept, other;

        assert_int_equal(pread(fd, &kept, 1, at), 1);
        other = kept ^ 0x10;
        assert_int_equal(pwrite(fd, &other, 1, at), 1);
        if (unpack(fd, 40000, &bad, &error) < 0)
            refused++;
        else
            assert_memory_equal(bad.bytes, good.bytes, 40000);
        assert_int_equal(pwrite(fd, &kept, 1, at), 1);
    }
    assert_true(refused > end / 2);
    bytes[0] = 1;
    assert_int_equal(pwrite(fd, bytes, 4, end - 4), 4); /* its checksum */
    assert_int_equal(unpack(fd, 40000, &bad, &error), -1);
    assert_int_equal(ftruncate(fd, end - 1), 0);
    assert_int_equal(unpack(fd, 40000, &bad, &error), -1);
    assert_non_null(strstr(error.text, "cut short"));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_layers),
                                       cmocka_unit_test(test_nothing_changed),
                                       cmocka_unit_test(test_damaged)};

    return cmocka_run_group_tests_name("ram_saved", tests, NULL, NULL);
}
