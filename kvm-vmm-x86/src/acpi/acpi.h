/*
 * What a PC tells its operating system about itself: ACPI 6.3 tables, written into guest memory.
 * The root pointer stands at the start of the BIOS area, where every kernel looks for it if its
 * loader did not say; the tables follow it. The caller's memory map must not offer that area as
 * RAM. Registers that the tables name are those of dev/acpi_pm.h.
 */
#ifndef ACPI_ACPI_H
#define ACPI_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/memory.h"
#include "dev/pci.h"

/* Where the tables are: nothing else goes there. */
#define ACPI_AREA      UINT64_C(0xe0000)
#define ACPI_AREA_SIZE UINT64_C(0x10000)

/* The FACS, where a guest that sleeps leaves its waking vector. */
#define ACPI_FACS (ACPI_AREA + 64)

enum { ACPI_CPUS_MAX = 64, ACPI_DEVICES_MAX = 16, ACPI_RANGES_MAX = 2 };

/* Where the kernel's interrupt controllers are, as KVM places them. */
#define ACPI_LOCAL_APIC UINT32_C(0xfee00000)
#define ACPI_IO_APIC    UINT32_C(0xfec00000)

/* The keyboard's identity, which the tables contain twice. */
#define ACPI_IDENTITY_KEYBOARD "PNP0303"

/* A device at I/O ports, or in memory, as it is in the table of devices. */
struct acpi_range {
    uint32_t base, length;
};
struct acpi_device {
    const char *name, *identity; /* four characters; "PNPxxxx", or another identity as text */
    struct acpi_range ranges[ACPI_RANGES_MAX];
    unsigned range_count;
    uint32_t irq;    /* edge-triggered; 0: none */
    bool memory;     /* its ranges are memory, and its interrupt is of the I/O APIC */
    unsigned number; /* of this device among those with the same identity */
    bool generation; /* its memory holds the generation ID, and its event notifies the guest of a
                        new one */
};

struct acpi_machine {
    unsigned cpus; /* 1 to ACPI_CPUS_MAX; CPU n has local APIC number n */
    struct acpi_device devices[ACPI_DEVICES_MAX];
    unsigned device_count;
    const struct pci *pci; /* its bus; NULL: it has none */
    bool watchdog;         /* dev/watchdog.h */
};

/* Writes the tables and says where the root pointer is. Fails if the machine has more CPUs or
 * devices than the limits above, or no RAM at ACPI_AREA. */
int acpi_write(const struct memory *memory, const struct acpi_machine *machine, gpa_t *root,
               struct error *error) MUST_CHECK;

/* Writes the same tables through any writer, and says where each one is; the XSDT is the last. */
struct acpi_writer;
struct acpi_places {
    gpa_t facs, dsdt, fadt, xsdt, end;
};
int acpi_write_tables(struct acpi_writer *writer, const struct acpi_machine *machine,
                      struct acpi_places *places, struct error *error) MUST_CHECK;

/* The older MP table says what the MADT says, for systems without ACPI and for those that look for
 * it first. It stands where they look: in the upper half of the BIOS area. */
#define MP_TABLE_AREA      UINT64_C(0xf0000)
#define MP_TABLE_AREA_SIZE UINT64_C(0x1000)
int mp_table_write(const struct memory *memory, unsigned cpus, struct error *error) MUST_CHECK;

#endif
