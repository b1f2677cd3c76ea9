/* Bytes appended to the ACPI area, and the frame of a table; see writer.h. */
#include "acpi/writer.h"

#include <string.h>

/* ACPI 6.3, table 5-29. */
struct header {
    char signature[4] ACPI_LETTERS;
    uint32_t length;
    uint8_t revision, checksum;
    char oem[6] ACPI_LETTERS, oem_table[8] ACPI_LETTERS;
    uint32_t oem_revision;
    char creator[4] ACPI_LETTERS;
    uint32_t creator_revision;
} __attribute__((packed));

_Static_assert(sizeof(struct header) == 36, "ACPI 6.3, table 5-29");

void acpi_put(struct acpi_writer *writer, const void *bytes, size_t count)
{
    writer->full = writer->full || count > writer->room - writer->used;
    if (writer->full)
        return;
    memcpy(writer->host + writer->used, bytes, count);
    writer->used += count;
}

/* The host is an x86 too: its numbers are little-endian. */
void acpi_put_number(struct acpi_writer *writer, uint64_t value, unsigned width)
{
    acpi_put(writer, &value, width);
}

void acpi_patch(struct acpi_writer *writer, size_t at, uint64_t value, unsigned width)
{
    if (!writer->full)
        memcpy(writer->host + at, &value, width);
}

gpa_t acpi_align(struct acpi_writer *writer, unsigned boundary)
{
    while (!writer->full && writer->used % boundary != 0)
        acpi_put_number(writer, 0, 1);
    return writer->base + writer->used;
}

gpa_t acpi_table_begin(struct acpi_writer *writer, const char *signature, uint8_t revision)
{
    gpa_t table = acpi_align(writer, 16);
    struct header header = {.revision = revision,
                            .oem = "KVMVMM",
                            .oem_table = "KVMVMMPC",
                            .oem_revision = 1,
                            .creator = "KVMM",
                            .creator_revision = 1};

    memcpy(header.signature, signature, sizeof header.signature);
    acpi_put(writer, &header, sizeof header);
    return table;
}

void acpi_table_end(struct acpi_writer *writer, gpa_t table)
{
    size_t at = table - writer->base;
    size_t length = writer->used - at;

    acpi_patch(writer, at + offsetof(struct header, length), length, sizeof(uint32_t));
    acpi_patch(writer, at + offsetof(struct header, checksum),
               acpi_checksum(writer->host + at, length), 1);
}

uint8_t acpi_checksum(const uint8_t *bytes, size_t count)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return (uint8_t)-sum;
}
