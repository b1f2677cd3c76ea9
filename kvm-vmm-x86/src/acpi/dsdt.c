/* The devices of the machine in AML; ACPI 6.3, 5.6.7 (identities), 7.4.2 (sleep states), 8.4. */
#include "acpi/dsdt.h"

#include <stdio.h>

#include "acpi/aml.h"
#include "dev/acpi_pm.h"
#include "dev/i8042.h"
#include "dev/rtc.h"
#include "dev/serial.h"

/* What has been at the same ports in every PC since 1984. */
struct pc_device {
    const char *name, *identity;
    struct {
        uint16_t base;
        uint8_t length;
    } ports[2];
    unsigned irq; /* 0: none */
    bool keyboard;
};

static const struct pc_device pc_devices[] = {
    {.name = "COM1",
     .identity = "PNP0501",
     .ports = {{SERIAL_PORT, SERIAL_PORTS}},
     .irq = SERIAL_IRQ},
    {.name = "RTC_", .identity = "PNP0B00", .ports = {{RTC_PORT, RTC_PORTS}}},
    {.name = "KBD_",
     .identity = "PNP0303",
     .ports = {{I8042_DATA_PORT, 1}, {I8042_COMMAND_PORT, 1}},
     .irq = I8042_IRQ,
     .keyboard = true},
};

static void put_pc_device(struct acpi_writer *writer, const struct pc_device *device)
{
    aml_mark body = aml_device(writer, device->name), resources;

    aml_name(writer, "_HID");
    aml_identity(writer, device->identity);
    resources = aml_resources(writer);
    for (unsigned i = 0; i < 2; i++)
        if (device->ports[i].length != 0)
            aml_ports(writer, device->ports[i].base, device->ports[i].length);
    if (device->irq != 0)
        aml_irq(writer, device->irq);
    aml_resources_end(writer, resources);
    aml_end(writer, body);
}

/* Opens a device of which there are many: two digits tell them apart, and a number of their own. */
static aml_mark numbered_device(struct acpi_writer *writer, const char *prefix, unsigned number,
                                const char *identity)
{
    char name[8];
    aml_mark body;

    snprintf(name, sizeof name, "%.2s%02X", prefix, number & 0xff);
    body = aml_device(writer, name);
    aml_name(writer, "_HID");
    aml_string(writer, identity);
    aml_name(writer, "_UID");
    aml_integer(writer, number);
    return body;
}

/* Its number ties the processor to its entry in the MADT. */
static void put_processor(struct acpi_writer *writer, unsigned number)
{
    aml_end(writer, numbered_device(writer, "CP", number, "ACPI0007"));
}

static void put_virtio(struct acpi_writer *writer, unsigned number,
                       const struct acpi_virtio *device)
{
    aml_mark body = numbered_device(writer, "VR", number, "LNRO0005"), resources;

    resources = aml_resources(writer);
    aml_memory(writer, device->base, device->length);
    aml_interrupt(writer, device->gsi);
    aml_resources_end(writer, resources);
    aml_end(writer, body);
}

/* The values that PM1 control wants for "off"; two of the four numbers are reserved. */
static void put_soft_off(struct acpi_writer *writer)
{
    aml_mark values;

    aml_name(writer, "_S5_");
    values = aml_package(writer, 4);
    aml_integer(writer, ACPI_PM_SLEEP_OFF);
    for (unsigned i = 0; i < 3; i++)
        aml_integer(writer, 0);
    aml_end(writer, values);
}

gpa_t acpi_write_dsdt(struct acpi_writer *writer, const struct acpi_machine *machine)
{
    gpa_t table = acpi_table_begin(writer, "DSDT", 2);
    aml_mark system;

    put_soft_off(writer);
    system = aml_scope(writer, "_SB_");
    for (size_t i = 0; i < sizeof pc_devices / sizeof pc_devices[0]; i++)
        if (machine->keyboard || !pc_devices[i].keyboard)
            put_pc_device(writer, &pc_devices[i]);
    for (unsigned i = 0; i < machine->cpus; i++)
        put_processor(writer, i);
    for (unsigned i = 0; i < machine->virtio_count; i++)
        put_virtio(writer, i, &machine->virtio[i]);
    aml_end(writer, system);
    acpi_table_end(writer, table);
    return table;
}
