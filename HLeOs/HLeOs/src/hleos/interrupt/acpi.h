/* The ACPI tables that this kernel reads: interrupt controllers, and the HPET. */
#ifndef HLEOS_INTERRUPT_ACPI_H
#define HLEOS_INTERRUPT_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ACPI 6.4, 5.2.6. */
struct acpi_header {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem[6], oem_table[8];
    uint32_t oem_revision, creator, creator_revision;
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 6.4, table 5.4");

/* Looks for the tables: at `rsdp` if it is not 0, else where a BIOS puts the root pointer. Returns
 * how many there are. */
unsigned acpi_init(uint64_t rsdp);
unsigned acpi_revision(void);

/* A table with that signature, mapped and with a correct checksum; NULL: not found. */
const struct acpi_header *acpi_find(const char *signature);
/* The table that describes the devices (DSDT), mapped for good; NULL if it is missing. */
const struct acpi_header *acpi_devices(void);

#endif
