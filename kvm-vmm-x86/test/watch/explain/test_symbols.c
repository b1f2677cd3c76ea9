/* Unit tests of explain/symbols: a table of each class, and files with false contents. */
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "common/elf.h"
#include "watch/explain/symbols.h"

enum { TEXT = 1, SYMBOLS, NAMES, SECTIONS };
enum { GLOBAL = 1 << 4 };

struct file {
    struct elf64_header header;
    struct elf64_section_header sections[SECTIONS];
    struct elf64_symbol symbols[7];
    char names[48];
};

struct file32 {
    struct elf32_header header;
    struct elf32_section_header sections[SECTIONS];
    struct elf32_symbol symbols[2];
    char names[16];
};

static struct file good(void)
{
    struct file f = {
        .header = {.ident = {{0x7f, 'E', 'L', 'F'}, ELF_CLASS_64, ELF_DATA_LSB, 1, {0}},
                   .type = ELF_TYPE_EXEC,
                   .machine = ELF_MACHINE_X86_64,
                   .shoff = offsetof(struct file, sections),
                   .shentsize = sizeof(struct elf64_section_header),
                   .shnum = SECTIONS},
        .sections = {[TEXT] = {.type = ELF_SHT_NOBITS,
                               .flags = ELF_SHF_ALLOC,
                               .addr = 0x100000,
                               .size = 0x1000},
                     [SYMBOLS] = {.type = ELF_SHT_SYMTAB,
                                  .offset = offsetof(struct file, symbols),
                                  .size = sizeof f.symbols,
                                  .link = NAMES,
                                  .entsize = sizeof(struct elf64_symbol)},
                     [NAMES] = {.type = ELF_SHT_STRTAB,
                                .offset = offsetof(struct file, names),
                                .size = sizeof f.names}},
        .symbols = {[1] = {13, GLOBAL | ELF_STT_FUNC, 0, TEXT, 0x100100, 0x20},  /* main */
                    [2] = {7, GLOBAL | ELF_STT_NOTYPE, 0, TEXT, 0x100000, 0},    /* start */
                    [3] = {1, ELF_STT_NOTYPE, 0, TEXT, 0x100000, 0},             /* local */
                    [4] = {18, GLOBAL | ELF_STT_NOTYPE, 0, 0xfff1, 0x100004, 0}, /* absolute */
                    [5] = {27, GLOBAL | ELF_STT_NOTYPE, 0, TEXT, 0x100800, 0},   /* last */
                    [6] = {18, GLOBAL | ELF_STT_NOTYPE, 0, TEXT, 0x200000, 0}},  /* nowhere */
        .names = "\0local\0start\0main\0absolute\0la\033t",
    };

    return f;
}

static const char *name(const struct symbols *symbols, uint64_t address)
{
    static char text[64];

    return symbols_name(symbols, address, text, sizeof text) ? text : "";
}

static void test_names(void **state)
{
    struct file f = good();
    struct symbols symbols;
    struct error error;

    (void)state;
    assert_int_equal(symbols_read(&symbols, (uint8_t *)&f, sizeof f, "f", &error), 0);
    assert_int_equal(symbols.count, 3);
    assert_string_equal(name(&symbols, 0xfffff), "");
    assert_string_equal(name(&symbols, 0x100000), "start");
    assert_string_equal(name(&symbols, 0x1000ff), "start+0xff");
    assert_string_equal(name(&symbols, 0x100100), "main");
    assert_string_equal(name(&symbols, 0x10011f), "main+0x1f");
    assert_string_equal(name(&symbols, 0x100120), "");
    assert_string_equal(name(&symbols, 0x100fff), "la?t+0x7ff");
    assert_string_equal(name(&symbols, 0x101000), "");
    symbols.bias = 0x40000;
    assert_string_equal(name(&symbols, 0x140002), "start+0x2");
    assert_string_equal(name(&symbols, 0x10), "");
    assert_string_equal(name(NULL, 0x10), "");
    symbols_release(&symbols);
}

static void test_class32(void **state)
{
    struct file32 f = {
        .header = {.ident = {{0x7f, 'E', 'L', 'F'}, ELF_CLASS_32, ELF_DATA_LSB, 1, {0}},
                   .machine = ELF_MACHINE_386,
                   .shoff = offsetof(struct file32, sections),
                   .shentsize = sizeof(struct elf32_section_header),
                   .shnum = SECTIONS},
        .sections = {[TEXT] = {.type = 1, .flags = ELF_SHF_ALLOC, .size = 0x10},
                     [SYMBOLS] = {.type = ELF_SHT_SYMTAB,
                                  .offset = offsetof(struct file32, symbols),
                                  .size = sizeof f.symbols,
                                  .link = NAMES,
                                  .entsize = sizeof(struct elf32_symbol)},
                     [NAMES] = {.type = ELF_SHT_STRTAB,
                                .offset = offsetof(struct file32, names),
                                .size = sizeof f.names}},
        .symbols = {[1] = {1, 4, 0, ELF_STT_FUNC, 0, TEXT}},
        .names = "\0image",
    };
    struct symbols symbols;
    struct error error;

    (void)state;
    assert_int_equal(symbols_read(&symbols, (uint8_t *)&f, sizeof f, "f", &error), 0);
    assert_string_equal(name(&symbols, 0xa), "image+0x6");
    symbols_release(&symbols);
}

static void refused(const struct file *f, size_t size, const char *word)
{
    struct symbols symbols;
    struct error error;

    assert_int_equal(symbols_read(&symbols, (const uint8_t *)f, size, "f", &error), -1);
    assert_null(symbols.list);
    if (word != NULL)
        assert_non_null(strstr(error.text, word));
}

static void test_lies(void **state)
{
    struct file f = good();

    (void)state;
    f.header.machine = ELF_MACHINE_RISCV;
    refused(&f, sizeof f, "another kind of CPU");
    f = good();
    f.sections[SYMBOLS].type = 1;
    refused(&f, sizeof f, "no symbols");
    f = good();
    f.sections[SYMBOLS].link = TEXT;
    refused(&f, sizeof f, "no names");
    f = good();
    f.sections[SYMBOLS].entsize = 0;
    refused(&f, sizeof f, "0 entries");
    f = good();
    f.sections[NAMES].size = UINT64_MAX;
    refused(&f, sizeof f, "no names");
    f = good();
    f.sections[NAMES].size = 3; /* no name ends in it */
    refused(&f, sizeof f, "none of its symbols");
    f = good();
    f.header.shoff = UINT64_MAX - 3;
    refused(&f, sizeof f, "past the end of the file");
    refused(&f, 3, NULL);
}

/* A file that is cut at any place is refused, or read without accesses beyond its end. */
static void test_every_truncation(void **state)
{
    struct file f = good();

    (void)state;
    for (size_t n = 0; n < offsetof(struct file, names); n++)
        refused(&f, n, NULL);
}

/* 400,000 symbols, each with a name of megabytes: read once, not for each symbol. One symbol too
 * many is an error that gives the limit. */
static void test_large_tables(void **state)
{
    enum { MANY = 400000, MOST = 512 * 1024, LONG_NAME = 8 * 1000 * 1000 };
    struct file f = good();
    size_t room = sizeof f + (MOST + 1) * sizeof f.symbols[0] + LONG_NAME;
    uint8_t *bytes = malloc(room);
    struct elf64_symbol *table = (struct elf64_symbol *)(bytes + sizeof f);
    struct symbols symbols;
    struct error error;
    char text[160];

    (void)state;
    assert_non_null(bytes);
    for (unsigned i = 0; i <= MOST; i++)
        table[i] =
            (struct elf64_symbol){1, ELF_STT_FUNC, 0, TEXT, 0x100000 + (i * 7919u) % 0x1000, 0};
    memset(bytes + room - LONG_NAME, 'A', LONG_NAME);
    bytes[room - 1] = '\0';
    f.sections[SYMBOLS].offset = sizeof f;
    f.sections[SYMBOLS].size = (uint64_t)MANY * sizeof table[0];
    f.sections[NAMES].offset = room - LONG_NAME;
    f.sections[NAMES].size = LONG_NAME;
    memcpy(bytes, &f, sizeof f);
    assert_int_equal(symbols_read(&symbols, bytes, room, "f", &error), 0);
    assert_int_equal(symbols.count, 0x1000);
    assert_true(symbols_name(&symbols, 0x100005, text, sizeof text));
    symbols_release(&symbols);
    f.sections[SYMBOLS].size = (uint64_t)(MOST + 1) * sizeof table[0];
    memcpy(bytes, &f, sizeof f);
    refused((const struct file *)bytes, room, "524289 entries; at most 524288");
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),        cmocka_unit_test(test_class32),
        cmocka_unit_test(test_lies),         cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_large_tables),
    };

    return cmocka_run_group_tests_name("symbols", tests, NULL, NULL);
}
