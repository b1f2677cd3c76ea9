/* The devices of the machine in AML; ACPI 6.3, 5.6.7 (identities), 7.4.2 (sleep states), 8.4. */
#include "acpi/dsdt.h"

#include <stdio.h>
#include <string.h>

#include "acpi/aml.h"
#include "dev/acpi_pm.h"
#include "dev/pci.h"

enum { IDENTITY_PACKED = 7 }; /* the length of an ID that is packed into an integer */

/* The IDs that drivers of the VM generation ID look for, and the address of the number. */
static void put_generation(struct acpi_writer *writer, uint32_t at)
{
    aml_mark values;

    aml_name(writer, "_CID");
    values = aml_package(writer, 2); /* the first is longer than a hardware ID may be */
    aml_string(writer, "VM_Gen_Counter");
    aml_string(writer, "VMGENCTR");
    aml_end(writer, values);
    aml_name(writer, "_DDN");
    aml_string(writer, "VM_Gen_Counter");
    aml_name(writer, "ADDR");
    values = aml_package(writer, 2);
    aml_integer(writer, at);
    aml_integer(writer, 0);
    aml_end(writer, values);
}

/* The general-purpose event that reports a new generation ID (5.6.4.1). */
static void put_generation_event(struct acpi_writer *writer, const char *device)
{
    enum { CHANGED = 0x80 };
    char name[8];
    aml_mark scope = aml_scope(writer, "_GPE"), method;

    snprintf(name, sizeof name, "_E%02X", ACPI_PM_GENERATION);
    method = aml_method(writer, name);
    aml_notify(writer, device, CHANGED);
    aml_end(writer, method);
    aml_end(writer, scope);
}

static void put_device(struct acpi_writer *writer, const struct acpi_device *device)
{
    aml_mark body = aml_device(writer, device->name), resources;

    aml_name(writer, "_HID");
    if (strlen(device->identity) == IDENTITY_PACKED)
        aml_identity(writer, device->identity);
    else
        aml_string(writer, device->identity);
    if (device->memory) {
        aml_name(writer, "_UID");
        aml_integer(writer, device->number);
    }
    if (device->generation)
        put_generation(writer, device->ranges[0].base);
    resources = aml_resources(writer);
    for (unsigned i = 0; i < device->range_count; i++) {
        const struct acpi_range *r = &device->ranges[i];

        if (device->memory)
            aml_memory(writer, r->base, r->length);
        else
            aml_ports(writer, (uint16_t)r->base, (uint8_t)r->length);
    }
    if (device->irq != 0 && device->memory)
        aml_interrupt(writer, device->irq);
    else if (device->irq != 0)
        aml_irq(writer, device->irq);
    aml_resources_end(writer, resources);
    aml_end(writer, body);
}

/* The interrupt line of each function goes straight to a pin of the I/O APIC (6.2.13). */
static void put_routes(struct acpi_writer *writer, const struct pci *pci)
{
    aml_mark routes, route;
    unsigned count = 0;

    for (unsigned i = 0; i < PCI_SLOTS; i++)
        count += pci->slot[i] != NULL && pci->slot[i]->gsi != 0;
    aml_name(writer, "_PRT");
    routes = aml_package(writer, (uint8_t)count);
    for (unsigned i = 0; i < PCI_SLOTS; i++) {
        if (pci->slot[i] == NULL || pci->slot[i]->gsi == 0)
            continue;
        route = aml_package(writer, 4);
        aml_integer(writer, i << 16 | 0xffff); /* every function of the slot */
        aml_integer(writer, 0);                /* INTA */
        aml_integer(writer, 0);                /* no link device */
        aml_integer(writer, pci->slot[i]->gsi);
        aml_end(writer, route);
    }
    aml_end(writer, routes);
}

static void put_pci(struct acpi_writer *writer, const struct pci *pci)
{
    aml_mark body = aml_device(writer, "PCI0"), resources;

    aml_name(writer, "_HID");
    aml_identity(writer, "PNP0A08");
    aml_name(writer, "_CID");
    aml_identity(writer, "PNP0A03");
    aml_name(writer, "_UID");
    aml_integer(writer, 0);
    resources = aml_resources(writer);
    aml_buses(writer, 0, 0);
    aml_ports(writer, PCI_ADDRESS_PORT, PCI_PORTS);
    aml_window(writer, pci->low.base, pci->low.size);
    if (pci->high.size > 0)
        aml_window(writer, pci->high.base, pci->high.size);
    aml_resources_end(writer, resources);
    put_routes(writer, pci);
    aml_end(writer, body);
}

/* `number` is also the processor ID in the MADT. */
static void put_processor(struct acpi_writer *writer, unsigned number)
{
    char name[8];
    aml_mark body;

    snprintf(name, sizeof name, "CP%02X", number & 0xff);
    body = aml_device(writer, name);
    aml_name(writer, "_HID");
    aml_string(writer, "ACPI0007");
    aml_name(writer, "_UID");
    aml_integer(writer, number);
    aml_end(writer, body);
}

/* The value to write to PM1 control for a sleeping state; two of the four numbers are reserved. */
static void put_sleep(struct acpi_writer *writer, const char *name, unsigned type)
{
    aml_mark values;

    aml_name(writer, name);
    values = aml_package(writer, 4);
    aml_integer(writer, type);
    for (unsigned i = 0; i < 3; i++)
        aml_integer(writer, 0);
    aml_end(writer, values);
}

gpa_t acpi_write_dsdt(struct acpi_writer *writer, const struct acpi_machine *machine)
{
    gpa_t table = acpi_table_begin(writer, "DSDT", 2);
    aml_mark system;

    put_sleep(writer, "_S3_", ACPI_PM_SLEEP_RAM);
    put_sleep(writer, "_S5_", ACPI_PM_SLEEP_OFF);
    system = aml_scope(writer, "_SB_");
    for (unsigned i = 0; i < machine->device_count; i++)
        put_device(writer, &machine->devices[i]);
    if (machine->pci != NULL)
        put_pci(writer, machine->pci);
    for (unsigned i = 0; i < machine->cpus; i++)
        put_processor(writer, i);
    aml_end(writer, system);
    for (unsigned i = 0; i < machine->device_count; i++)
        if (machine->devices[i].generation)
            put_generation_event(writer, machine->devices[i].name);
    acpi_table_end(writer, table);
    return table;
}
