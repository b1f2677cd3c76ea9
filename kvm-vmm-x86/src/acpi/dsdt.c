/*
 * The devices of the machine, in ACPI machine language: ACPI 6.3, 5.6.7 (identities), 7.4.2 (sleep
 * states), 8.4 (processors), 20.2 (the language's grammar), 6.4 (resources). As much of the
 * language as describes fixed devices: names, numbers, strings and resources, no methods.
 *
 * aml_scope and its kind open a package of bytes and return a mark; aml_end closes it. Names are
 * four characters of one segment.
 */
#include "acpi/dsdt.h"

#include <stdio.h>
#include <string.h>

#include "dev/acpi_pm.h"

typedef size_t aml_mark;

/* 20.3: the opcodes that we need. */
enum {
    OP_ZERO = 0x00,
    OP_ONE = 0x01,
    OP_NAME = 0x08,
    OP_BYTE = 0x0a,
    OP_WORD = 0x0b,
    OP_DWORD = 0x0c,
    OP_STRING = 0x0d,
    OP_SCOPE = 0x10,
    OP_BUFFER = 0x11,
    OP_PACKAGE = 0x12,
    OP_EXTENDED = 0x5b,
    EXTENDED_DEVICE = 0x82,
};

/* 6.4.2: the first byte of a resource. */
enum {
    RESOURCE_IRQ = 0x22,
    RESOURCE_PORTS = 0x47,
    RESOURCE_END = 0x79,
};
enum { PORTS_DECODE_16_BITS = 1, SEGMENT = 4 };

/* 20.2.4: a package's length counts its own bytes, of which there may be one to four. Always three
 * here: it is known only when the package ends, and three hold whatever fits into the area. */
enum { LENGTH_BYTES = 3, LENGTH_MORE_BYTES = LENGTH_BYTES - 1 };

static aml_mark open_package(struct acpi_writer *writer)
{
    acpi_put_number(writer, 0, LENGTH_BYTES);
    return writer->used - LENGTH_BYTES;
}

static void aml_end(struct acpi_writer *writer, aml_mark mark)
{
    uint32_t length = (uint32_t)(writer->used - mark);

    acpi_patch(writer, mark, LENGTH_MORE_BYTES << 6 | (length & 0xf) | length >> 4 << 8,
               LENGTH_BYTES);
}

static aml_mark aml_scope(struct acpi_writer *writer, const char *name)
{
    aml_mark mark;

    acpi_put_bytes(writer, OP_SCOPE);
    mark = open_package(writer);
    acpi_put(writer, name, SEGMENT);
    return mark;
}

static aml_mark aml_device(struct acpi_writer *writer, const char *name)
{
    aml_mark mark;

    acpi_put_bytes(writer, OP_EXTENDED, EXTENDED_DEVICE);
    mark = open_package(writer);
    acpi_put(writer, name, SEGMENT);
    return mark;
}

/* Names what is put next: a number, a string, an identity, a package. */
static void aml_name(struct acpi_writer *writer, const char *name)
{
    acpi_put_bytes(writer, OP_NAME);
    acpi_put(writer, name, SEGMENT);
}

static void aml_integer(struct acpi_writer *writer, uint8_t value)
{
    if (value <= 1)
        acpi_put_bytes(writer, value == 0 ? OP_ZERO : OP_ONE);
    else
        acpi_put_bytes(writer, OP_BYTE, value);
}

static void aml_string(struct acpi_writer *writer, const char *text)
{
    acpi_put_bytes(writer, OP_STRING);
    acpi_put(writer, text, strlen(text) + 1);
}

static uint32_t hex_digit(char c)
{
    return c <= '9' ? (uint32_t)(c - '0') : (uint32_t)(c - 'A' + 10);
}

/* An identity of three letters and four hexadecimal digits, packed into a number: "PNP0501".
 * 19.3.4: five bits a letter, four a digit, the most significant byte first. */
static void aml_identity(struct acpi_writer *writer, const char *text)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < 3; i++)
        value = value << 5 | (uint32_t)(text[i] - '@');
    for (unsigned i = 3; i < 7; i++)
        value = value << 4 | hex_digit(text[i]);
    acpi_put_bytes(writer, OP_DWORD);
    acpi_put_number(writer, __builtin_bswap32(value), 4);
}

/* What a device uses: _CRS, filled by the functions below, closed by aml_resources_end. A buffer
 * says twice how long it is: as a package of bytes and by a number, here one of 16 bits
 * right behind the package's length. */
static aml_mark aml_resources(struct acpi_writer *writer)
{
    aml_mark mark;

    aml_name(writer, "_CRS");
    acpi_put_bytes(writer, OP_BUFFER);
    mark = open_package(writer);
    acpi_put_bytes(writer, OP_WORD, 0, 0);
    return mark;
}

static void aml_resources_end(struct acpi_writer *writer, aml_mark mark)
{
    size_t size_at = mark + LENGTH_BYTES + 1;

    acpi_put_bytes(writer, RESOURCE_END, 0); /* 6.4.2.9: no checksum */
    acpi_patch(writer, size_at, writer->used - size_at - 2, 2);
    aml_end(writer, mark);
}

/* 6.4.2.5 */
static void aml_ports(struct acpi_writer *writer, uint16_t base, uint8_t length)
{
    acpi_put_bytes(writer, RESOURCE_PORTS, PORTS_DECODE_16_BITS);
    acpi_put_number(writer, base, 2);  /* not below */
    acpi_put_number(writer, base, 2);  /* not above */
    acpi_put_bytes(writer, 1, length); /* alignment */
}

/* 6.4.2.1: without its third byte it is an ISA line, edge-triggered and active high. */
static void aml_irq(struct acpi_writer *writer, unsigned line)
{
    acpi_put_bytes(writer, RESOURCE_IRQ);
    acpi_put_number(writer, 1u << line, 2);
}

static void put_device(struct acpi_writer *writer, const struct acpi_device *device)
{
    aml_mark body = aml_device(writer, device->name), resources;

    aml_name(writer, "_HID");
    aml_identity(writer, device->identity);
    resources = aml_resources(writer);
    for (unsigned i = 0; i < device->range_count; i++)
        aml_ports(writer, device->ranges[i].base, device->ranges[i].length);
    if (device->irq != 0)
        aml_irq(writer, device->irq);
    aml_resources_end(writer, resources);
    aml_end(writer, body);
}

/* Its number ties the processor to its entry in the MADT. */
static void put_processor(struct acpi_writer *writer, unsigned number)
{
    char name[8];
    aml_mark body;

    snprintf(name, sizeof name, "CP%02X", number & 0xff);
    body = aml_device(writer, name);
    aml_name(writer, "_HID");
    aml_string(writer, "ACPI0007");
    aml_name(writer, "_UID");
    aml_integer(writer, (uint8_t)number);
    aml_end(writer, body);
}

/* The values that PM1 control wants for "off"; two of the four numbers are reserved. */
static void put_soft_off(struct acpi_writer *writer)
{
    aml_mark values;

    aml_name(writer, "_S5_");
    acpi_put_bytes(writer, OP_PACKAGE);
    values = open_package(writer);
    acpi_put_bytes(writer, 4); /* elements */
    aml_integer(writer, ACPI_PM_SLEEP_OFF);
    acpi_put_bytes(writer, OP_ZERO, OP_ZERO, OP_ZERO);
    aml_end(writer, values);
}

gpa_t acpi_write_dsdt(struct acpi_writer *writer, const struct acpi_machine *machine)
{
    gpa_t table = acpi_table_begin(writer, "DSDT", 2);
    aml_mark system;

    put_soft_off(writer);
    system = aml_scope(writer, "_SB_");
    for (unsigned i = 0; i < machine->device_count; i++)
        put_device(writer, &machine->devices[i]);
    for (unsigned i = 0; i < machine->cpus; i++)
        put_processor(writer, i);
    aml_end(writer, system);
    acpi_table_end(writer, table);
    return table;
}
