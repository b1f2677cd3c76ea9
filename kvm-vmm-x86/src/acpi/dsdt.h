/* The DSDT: the devices that no bus enumerates, in AML. */
#ifndef ACPI_DSDT_H
#define ACPI_DSDT_H

#include "acpi/acpi.h"
#include "acpi/writer.h"

/* Writes the table and says where it is. */
gpa_t acpi_write_dsdt(struct acpi_writer *writer, const struct acpi_machine *machine);

#endif
