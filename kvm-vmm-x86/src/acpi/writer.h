/* Bytes appended to the ACPI area, and the frame that every table there has (ACPI 6.3, 5.2.6). */
#ifndef ACPI_WRITER_H
#define ACPI_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/* A character array without a terminating zero; newer compilers warn unless it is marked. */
#if __has_attribute(nonstring)
#define ACPI_LETTERS __attribute__((nonstring))
#else
#define ACPI_LETTERS
#endif

struct acpi_writer {
    uint8_t *host; /* the area in this process */
    gpa_t base;    /* the same in the guest */
    size_t room, used;
    bool full; /* something did not fit: nothing has been written since */
};

void acpi_put(struct acpi_writer *writer, const void *bytes, size_t count);

/* Single bytes, one after the other. */
#define acpi_put_bytes(writer, ...)                                                                \
    acpi_put(writer, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* A number of `width` bytes, 1 to 8, little-endian. */
void acpi_put_number(struct acpi_writer *writer, uint64_t value, unsigned width);

/* Overwrites what was put at offset `at`. */
void acpi_patch(struct acpi_writer *writer, size_t at, uint64_t value, unsigned width);

/* Puts zeros up to a multiple of `boundary` and says which guest address that is. */
gpa_t acpi_align(struct acpi_writer *writer, unsigned boundary);

/* Begins a table; what is put until acpi_table_end is its body. */
gpa_t acpi_table_begin(struct acpi_writer *writer, const char *signature, uint8_t revision);

/* Ends the table that began at `table`: its length and checksum are known now. */
void acpi_table_end(struct acpi_writer *writer, gpa_t table);

/* The byte that makes the sum of all bytes zero when it replaces a zero among them. */
uint8_t acpi_checksum(const uint8_t *bytes, size_t count);

#endif
