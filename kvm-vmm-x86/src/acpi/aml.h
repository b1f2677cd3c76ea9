/*
 * ACPI machine language, as much of it as describes fixed devices: names, numbers, strings and
 * resources, and methods that notify a device. ACPI 6.3, 20.2 (grammar) and 6.4 (resources).
 *
 * aml_scope and its kind open a package of bytes and return a mark; aml_end closes it. Names are
 * four characters of one segment.
 */
#ifndef ACPI_AML_H
#define ACPI_AML_H

#include "acpi/writer.h"

typedef size_t aml_mark;

aml_mark aml_scope(struct acpi_writer *writer, const char *name);
aml_mark aml_device(struct acpi_writer *writer, const char *name);
/* A list of `elements` numbers or strings, put one after the other. */
aml_mark aml_package(struct acpi_writer *writer, uint8_t elements);
void aml_end(struct acpi_writer *writer, aml_mark mark);

/* Names what is put next: a number, a string, an identity, a package. */
void aml_name(struct acpi_writer *writer, const char *name);
void aml_integer(struct acpi_writer *writer, uint32_t value);
void aml_string(struct acpi_writer *writer, const char *text);
/* An identity of three letters and four hexadecimal digits, packed into a number: "PNP0501". */
void aml_identity(struct acpi_writer *writer, const char *text);

/* A method without arguments, put where it is called from. */
aml_mark aml_method(struct acpi_writer *writer, const char *name);
/* In a method: the device of that name in \_SB is notified. */
void aml_notify(struct acpi_writer *writer, const char *device, uint8_t value);

/* What a device uses: _CRS, filled by the functions below, closed by aml_resources_end. */
aml_mark aml_resources(struct acpi_writer *writer);
void aml_ports(struct acpi_writer *writer, uint16_t base, uint8_t length);
void aml_irq(struct acpi_writer *writer, unsigned line); /* an ISA line */
void aml_memory(struct acpi_writer *writer, uint32_t base, uint32_t length);
/* What a bridge passes on: bus numbers, and a range of memory addresses. */
void aml_buses(struct acpi_writer *writer, uint8_t first, uint8_t last);
void aml_window(struct acpi_writer *writer, uint64_t base, uint64_t length);
void aml_interrupt(struct acpi_writer *writer, uint32_t line); /* any, edge-triggered */
void aml_resources_end(struct acpi_writer *writer, aml_mark mark);

#endif
