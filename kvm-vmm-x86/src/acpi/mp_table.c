/* The MP table: processors and interrupts for an operating system without ACPI. Intel,
 * MultiProcessor Specification 1.4, chapter 4. See acpi.h. */
#include <string.h>

#include "acpi/acpi.h"
#include "acpi/writer.h"
#include "dev/acpi_pm.h"

struct floating_pointer {
    char signature[4] ACPI_LETTERS;
    uint32_t table;
    uint8_t length, revision, checksum; /* length in 16 bytes */
    uint8_t features[5]; /* byte 1 is 0: there is a table; byte 2 is 0: no IMCR, virtual wire */
} __attribute__((packed));

struct table_header {
    char signature[4] ACPI_LETTERS;
    uint16_t length;
    uint8_t revision, checksum;
    char oem[8] ACPI_LETTERS, product[12] ACPI_LETTERS;
    uint32_t oem_table;
    uint16_t oem_table_size, entries;
    uint32_t local_apic;
    uint16_t extended_length;
    uint8_t extended_checksum, reserved;
} __attribute__((packed));

struct processor_entry {
    uint8_t type, apic, apic_version, flags;
    uint32_t signature, features, reserved[2];
} __attribute__((packed));

struct bus_entry {
    uint8_t type, id;
    char name[6] ACPI_LETTERS;
} __attribute__((packed));

struct io_apic_entry {
    uint8_t type, id, version, flags;
    uint32_t address;
} __attribute__((packed));

/* An interrupt input of the I/O APIC or, if the type is one higher, of every local APIC. */
struct interrupt_entry {
    uint8_t type, kind;
    uint16_t flags;
    uint8_t bus, bus_irq, apic, pin;
} __attribute__((packed));

_Static_assert(sizeof(struct floating_pointer) == 16, "section 4.1");
_Static_assert(sizeof(struct table_header) == 44, "section 4.2");
_Static_assert(sizeof(struct processor_entry) == 20, "section 4.3.1");
_Static_assert(sizeof(struct interrupt_entry) == 8, "section 4.3.4");

enum { PROCESSOR, BUS, IO_APIC, IO_INTERRUPT, LOCAL_INTERRUPT };
enum { INT, NMI, SMI, EXTINT };
enum { ENABLED = 1, BOOT = 2, ALL = 0xff, CASCADE = 2, ISA_IRQS = 16, ACTIVE_HIGH_LEVEL = 0xd };
enum { REVISION = 4, LOCAL_APIC_VERSION = 0x14, IO_APIC_VERSION = 0x11 };

/* As in KVM: interrupt n of the ISA bus is pin n of I/O APIC 0. */
static unsigned put_interrupts(struct acpi_writer *writer)
{
    struct interrupt_entry e = {.type = IO_INTERRUPT, .kind = INT};
    unsigned count = 0;

    for (unsigned irq = 0; irq < ISA_IRQS; irq++) {
        if (irq == CASCADE)
            continue;
        e.flags = irq == ACPI_PM_IRQ ? ACTIVE_HIGH_LEVEL : 0; /* 0: conforms to the bus */
        e.bus_irq = e.pin = (uint8_t)irq;
        acpi_put(writer, &e, sizeof e);
        count++;
    }
    e = (struct interrupt_entry){.type = LOCAL_INTERRUPT, .kind = EXTINT, .apic = ALL, .pin = 0};
    acpi_put(writer, &e, sizeof e);
    e = (struct interrupt_entry){.type = LOCAL_INTERRUPT, .kind = NMI, .apic = ALL, .pin = 1};
    acpi_put(writer, &e, sizeof e);
    return count + 2;
}

int mp_table_write(const struct memory *memory, unsigned cpus, struct error *error)
{
    struct acpi_writer writer = {.host = memory_at(memory, MP_TABLE_AREA, MP_TABLE_AREA_SIZE),
                                 .base = MP_TABLE_AREA,
                                 .room = MP_TABLE_AREA_SIZE};
    struct floating_pointer pointer = {
        .signature = "_MP_", .table = MP_TABLE_AREA + sizeof pointer, .length = 1, .revision = 4};
    struct table_header header = {.signature = "PCMP",
                                  .revision = REVISION,
                                  .oem = "MINIKVM ",
                                  .product = "KVM-VMM PC  ",
                                  .local_apic = ACPI_LOCAL_APIC};
    struct bus_entry isa = {.type = BUS, .name = "ISA   "};
    struct io_apic_entry io_apic = {
        .type = IO_APIC, .version = IO_APIC_VERSION, .flags = ENABLED, .address = ACPI_IO_APIC};
    uint8_t *table;

    if (cpus < 1 || cpus > ACPI_CPUS_MAX)
        return error_set(error, "MP table: %u CPUs; there may be 1 to %d", cpus, ACPI_CPUS_MAX);
    if (writer.host == NULL)
        return error_set(error, "MP table: there is no RAM at %#lx for it", MP_TABLE_AREA);
    pointer.checksum = acpi_checksum((const uint8_t *)&pointer, sizeof pointer);
    acpi_put(&writer, &pointer, sizeof pointer);
    acpi_put(&writer, &header, sizeof header); /* written again below, when it is complete */
    for (unsigned i = 0; i < cpus; i++) {
        struct processor_entry cpu = {.type = PROCESSOR,
                                      .apic = (uint8_t)i,
                                      .apic_version = LOCAL_APIC_VERSION,
                                      .flags = ENABLED | (i == 0 ? BOOT : 0)};

        acpi_put(&writer, &cpu, sizeof cpu);
    }
    acpi_put(&writer, &isa, sizeof isa);
    acpi_put(&writer, &io_apic, sizeof io_apic);
    header.entries = (uint16_t)(cpus + 2 + put_interrupts(&writer));
    header.length = (uint16_t)(writer.used - sizeof pointer);
    table = writer.host + sizeof pointer;
    memcpy(table, &header, sizeof header);
    table[offsetof(struct table_header, checksum)] = acpi_checksum(table, header.length);
    return 0;
}
