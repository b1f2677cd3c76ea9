/*
 * The ACPI tables for firmware: as files of QEMU's fw_cfg, with a script of what firmware has to do
 * with them (QEMU, hw/acpi/bios-linker-loader.c): where each file goes, which numbers in it are
 * addresses, which sums are to be made once these are known.
 */
#ifndef ACPI_FILES_H
#define ACPI_FILES_H

#include "acpi/acpi.h"

enum { ACPI_FILE_NAME = 56, ACPI_SCRIPT_MAX = 16, ACPI_COMMAND_SIZE = 128, ACPI_ROOT_SIZE = 36 };

struct acpi_files {
    uint8_t tables[ACPI_AREA_SIZE], root[ACPI_ROOT_SIZE];
    uint8_t script[ACPI_SCRIPT_MAX * ACPI_COMMAND_SIZE];
    size_t tables_size, script_size;
};

/* Their names there. */
#define ACPI_FILE_TABLES "etc/acpi/tables"
#define ACPI_FILE_ROOT   "etc/acpi/rsdp"
#define ACPI_FILE_SCRIPT "etc/table-loader"

int acpi_make_files(const struct acpi_machine *machine, struct acpi_files *files,
                    struct error *error) MUST_CHECK;

#endif
