/* ACPI tables as files; see files.h. Addresses in them are offsets into the file of tables. */
#include "acpi/files.h"

#include <string.h>

#include "acpi/writer.h"

enum { ALLOCATE = 1, ADD_POINTER = 2, ADD_CHECKSUM = 3 };
enum { ZONE_HIGH = 1, ZONE_F_SEGMENT = 2 };

struct command {
    uint32_t what;
    union {
        struct {
            char file[ACPI_FILE_NAME];
            uint32_t align;
            uint8_t zone;
        } __attribute__((packed)) allocate;
        struct {
            char in[ACPI_FILE_NAME], to[ACPI_FILE_NAME];
            uint32_t at;
            uint8_t width;
        } __attribute__((packed)) pointer;
        struct {
            char file[ACPI_FILE_NAME];
            uint32_t at, start, length;
        } __attribute__((packed)) checksum;
        uint8_t room[ACPI_COMMAND_SIZE - sizeof(uint32_t)];
    };
} __attribute__((packed));

_Static_assert(sizeof(struct command) == ACPI_COMMAND_SIZE, "bios-linker-loader.c");

/* Offsets in tables: ACPI 6.3, tables 5-27, 5-29, 5-33, 5-28. */
enum { LENGTH = 4, CHECKSUM = 9, BODY = 36, FADT_FACS = 36, FADT_DSDT = 40, FADT_X_DSDT = 140 };
enum { ROOT_CHECKSUM = 8, ROOT_V1 = 20, ROOT_XSDT = 24, ROOT_EXTENDED = 32 };

static void add(struct acpi_files *f, const struct command *command)
{
    memcpy(f->script + f->script_size, command, sizeof *command);
    f->script_size += sizeof *command;
}

static void allocate(struct acpi_files *f, const char *file, uint32_t align, uint8_t zone)
{
    struct command c = {.what = ALLOCATE, .allocate = {.align = align, .zone = zone}};

    strcpy(c.allocate.file, file);
    add(f, &c);
}

static void point(struct acpi_files *f, const char *in, size_t at, uint8_t width)
{
    struct command c = {.what = ADD_POINTER, .pointer = {.at = (uint32_t)at, .width = width}};

    strcpy(c.pointer.in, in);
    strcpy(c.pointer.to, ACPI_FILE_TABLES);
    add(f, &c);
}

/* The firmware adds the checksum to the byte that is there, so the byte must be 0. */
static void sum(struct acpi_files *f, const char *file, uint8_t *bytes, size_t at, size_t start,
                size_t length)
{
    struct command c = {
        .what = ADD_CHECKSUM,
        .checksum = {.at = (uint32_t)at, .start = (uint32_t)start, .length = (uint32_t)length}};

    bytes[at] = 0;
    strcpy(c.checksum.file, file);
    add(f, &c);
}

static void sum_table(struct acpi_files *f, size_t table)
{
    uint32_t length;

    memcpy(&length, f->tables + table + LENGTH, sizeof length);
    sum(f, ACPI_FILE_TABLES, f->tables, table + CHECKSUM, table, length);
}

int acpi_make_files(const struct acpi_machine *machine, struct acpi_files *f, struct error *error)
{
    struct acpi_writer writer = {.host = f->tables, .base = 0, .room = sizeof f->tables};
    struct acpi_places at;

    memset(f, 0, sizeof *f);
    if (acpi_write_tables(&writer, machine, &at, error) < 0)
        return -1;
    f->tables_size = writer.used;
    memcpy(f->root, f->tables, sizeof f->root);
    memset(f->tables, 0, sizeof f->root); /* a search of memory must not find the RSDP here */
    allocate(f, ACPI_FILE_TABLES, 64, ZONE_HIGH);
    allocate(f, ACPI_FILE_ROOT, 16, ZONE_F_SEGMENT);
    point(f, ACPI_FILE_TABLES, at.fadt + FADT_FACS, 4);
    point(f, ACPI_FILE_TABLES, at.fadt + FADT_DSDT, 4);
    point(f, ACPI_FILE_TABLES, at.fadt + FADT_X_DSDT, 8);
    sum_table(f, at.fadt);
    for (size_t entry = at.xsdt + BODY; entry < at.end; entry += 8)
        point(f, ACPI_FILE_TABLES, entry, 8);
    sum_table(f, at.xsdt);
    point(f, ACPI_FILE_ROOT, ROOT_XSDT, 8);
    sum(f, ACPI_FILE_ROOT, f->root, ROOT_CHECKSUM, 0, ROOT_V1);
    sum(f, ACPI_FILE_ROOT, f->root, ROOT_EXTENDED, 0, ACPI_ROOT_SIZE);
    return 0;
}
