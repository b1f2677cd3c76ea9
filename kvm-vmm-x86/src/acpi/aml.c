/* ACPI machine language; see aml.h. */
#include "acpi/aml.h"

#include <string.h>

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
    OP_METHOD = 0x14,
    OP_DUAL_NAME = 0x2e,
    OP_ROOT = 0x5c,
    OP_EXTENDED = 0x5b,
    EXTENDED_DEVICE = 0x82,
    OP_NOTIFY = 0x86,
};

/* 6.4.2: the first byte of a resource. */
enum {
    RESOURCE_IRQ = 0x22,
    RESOURCE_PORTS = 0x47,
    RESOURCE_END = 0x79,
    RESOURCE_MEMORY = 0x86,    /* 6.4.3.4 */
    RESOURCE_BUSES = 0x88,     /* 6.4.3.5.3 */
    RESOURCE_INTERRUPT = 0x89, /* 6.4.3.6 */
    RESOURCE_WINDOW = 0x8a,    /* 6.4.3.5.1 */
};
enum { MEMORY_WRITABLE = 1, INTERRUPT_CONSUMED = 1, INTERRUPT_EDGE = 2 };
enum { PORTS_DECODE_16_BITS = 1 };

/* 20.2.4: a package's length field has one to four bytes, and the length includes them. It is known
 * only when the package ends, so the field always has three bytes here, enough for the whole area.
 */
enum { LENGTH_BYTES = 3, LENGTH_MORE_BYTES = LENGTH_BYTES - 1 };

static aml_mark open_package(struct acpi_writer *writer)
{
    aml_mark mark = writer->used;

    acpi_put_number(writer, 0, LENGTH_BYTES);
    return mark;
}

void aml_end(struct acpi_writer *writer, aml_mark mark)
{
    uint32_t length = (uint32_t)(writer->used - mark);

    acpi_patch(writer, mark, LENGTH_MORE_BYTES << 6 | (length & 0xf) | length >> 4 << 8,
               LENGTH_BYTES);
}

static void put_segment(struct acpi_writer *writer, const char *name)
{
    acpi_put(writer, name, 4);
}

aml_mark aml_scope(struct acpi_writer *writer, const char *name)
{
    aml_mark mark;

    acpi_put_number(writer, OP_SCOPE, 1);
    mark = open_package(writer);
    put_segment(writer, name);
    return mark;
}

aml_mark aml_device(struct acpi_writer *writer, const char *name)
{
    aml_mark mark;

    acpi_put_number(writer, OP_EXTENDED, 1);
    acpi_put_number(writer, EXTENDED_DEVICE, 1);
    mark = open_package(writer);
    put_segment(writer, name);
    return mark;
}

aml_mark aml_package(struct acpi_writer *writer, uint8_t elements)
{
    aml_mark mark;

    acpi_put_number(writer, OP_PACKAGE, 1);
    mark = open_package(writer);
    acpi_put_number(writer, elements, 1);
    return mark;
}

aml_mark aml_method(struct acpi_writer *writer, const char *name)
{
    aml_mark mark;

    acpi_put_number(writer, OP_METHOD, 1);
    mark = open_package(writer);
    put_segment(writer, name);
    acpi_put_number(writer, 0, 1); /* no arguments */
    return mark;
}

void aml_notify(struct acpi_writer *writer, const char *device, uint8_t value)
{
    acpi_put_number(writer, OP_NOTIFY, 1);
    acpi_put_number(writer, OP_ROOT, 1);
    acpi_put_number(writer, OP_DUAL_NAME, 1);
    put_segment(writer, "_SB_");
    put_segment(writer, device);
    aml_integer(writer, value);
}

void aml_name(struct acpi_writer *writer, const char *name)
{
    acpi_put_number(writer, OP_NAME, 1);
    put_segment(writer, name);
}

void aml_integer(struct acpi_writer *writer, uint32_t value)
{
    if (value <= 1) {
        acpi_put_number(writer, value == 0 ? OP_ZERO : OP_ONE, 1);
    } else if (value <= UINT8_MAX) {
        acpi_put_number(writer, OP_BYTE, 1);
        acpi_put_number(writer, value, 1);
    } else if (value <= UINT16_MAX) {
        acpi_put_number(writer, OP_WORD, 1);
        acpi_put_number(writer, value, 2);
    } else {
        acpi_put_number(writer, OP_DWORD, 1);
        acpi_put_number(writer, value, 4);
    }
}

void aml_string(struct acpi_writer *writer, const char *text)
{
    acpi_put_number(writer, OP_STRING, 1);
    acpi_put(writer, text, strlen(text) + 1);
}

static uint32_t hex_digit(char c)
{
    return c <= '9' ? (uint32_t)(c - '0') : (uint32_t)(c - 'A' + 10);
}

/* 19.3.4: five bits a letter, four a digit, the most significant byte first. */
void aml_identity(struct acpi_writer *writer, const char *text)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < 3; i++)
        value = value << 5 | (uint32_t)(text[i] - '@');
    for (unsigned i = 3; i < 7; i++)
        value = value << 4 | hex_digit(text[i]);
    acpi_put_number(writer, OP_DWORD, 1);
    acpi_put_number(writer, __builtin_bswap32(value), 4);
}

/* A buffer has its length twice: as that of its package, and as a number, here 16 bits right after
 * the package's length. */
aml_mark aml_resources(struct acpi_writer *writer)
{
    aml_mark mark;

    aml_name(writer, "_CRS");
    acpi_put_number(writer, OP_BUFFER, 1);
    mark = open_package(writer);
    acpi_put_number(writer, OP_WORD, 1);
    acpi_put_number(writer, 0, 2);
    return mark;
}

void aml_resources_end(struct acpi_writer *writer, aml_mark mark)
{
    size_t size_at = mark + LENGTH_BYTES + 1;

    acpi_put_number(writer, RESOURCE_END, 1);
    acpi_put_number(writer, 0, 1); /* 6.4.2.9: no checksum */
    acpi_patch(writer, size_at, writer->used - size_at - 2, 2);
    aml_end(writer, mark);
}

/* 6.4.2.5 */
void aml_ports(struct acpi_writer *writer, uint16_t base, uint8_t length)
{
    acpi_put_number(writer, RESOURCE_PORTS, 1);
    acpi_put_number(writer, PORTS_DECODE_16_BITS, 1);
    acpi_put_number(writer, base, 2); /* lowest base */
    acpi_put_number(writer, base, 2); /* highest base */
    acpi_put_number(writer, 1, 1);    /* alignment */
    acpi_put_number(writer, length, 1);
}

/* 6.4.2.1: without its third byte the descriptor means edge-triggered and active high, as on ISA.
 */
void aml_irq(struct acpi_writer *writer, unsigned line)
{
    acpi_put_number(writer, RESOURCE_IRQ, 1);
    acpi_put_number(writer, 1u << line, 2);
}

void aml_memory(struct acpi_writer *writer, uint32_t base, uint32_t length)
{
    acpi_put_number(writer, RESOURCE_MEMORY, 1);
    acpi_put_number(writer, 9, 2);
    acpi_put_number(writer, MEMORY_WRITABLE, 1);
    acpi_put_number(writer, base, 4);
    acpi_put_number(writer, length, 4);
}

/* Any address space resource (6.4.3.5): its type, and fixed bounds as numbers of `width` bytes. */
static void put_range(struct acpi_writer *writer, uint8_t resource, uint8_t type, uint8_t flags,
                      uint64_t first, uint64_t length, unsigned width)
{
    enum { BOUNDS_FIXED = 0xc };

    acpi_put_number(writer, resource, 1);
    acpi_put_number(writer, 3 + 5 * width, 2);
    acpi_put_bytes(writer, type, BOUNDS_FIXED, flags);
    acpi_put_number(writer, 0, width); /* granularity */
    acpi_put_number(writer, first, width);
    acpi_put_number(writer, first + length - 1, width);
    acpi_put_number(writer, 0, width); /* no translation */
    acpi_put_number(writer, length, width);
}

void aml_buses(struct acpi_writer *writer, uint8_t first, uint8_t last)
{
    put_range(writer, RESOURCE_BUSES, 2, 0, first, last - first + 1u, 2);
}

void aml_window(struct acpi_writer *writer, uint64_t base, uint64_t length)
{
    put_range(writer, RESOURCE_WINDOW, 0, MEMORY_WRITABLE, base, length, 8);
}

void aml_interrupt(struct acpi_writer *writer, uint32_t line)
{
    acpi_put_number(writer, RESOURCE_INTERRUPT, 1);
    acpi_put_number(writer, 6, 2);
    acpi_put_number(writer, INTERRUPT_CONSUMED | INTERRUPT_EDGE, 1);
    acpi_put_number(writer, 1, 1); /* the number of interrupts */
    acpi_put_number(writer, line, 4);
}
