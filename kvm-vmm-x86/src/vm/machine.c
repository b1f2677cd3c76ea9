/* The device table: which device is at which address. To add a device, add its state to struct
 * machine and a row here; a virtio device, to add_virtio. */
#include "vm/machine.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "abi/debug_exit.h"
#include "abi/hypercall.h"

/* A row is a range of a device. Rows of one device are consecutive, and the first describes the
 * whole device. */
struct row {
    enum bus_space space;
    uint64_t base, length;
    const struct bus_ops *ops;
    size_t state;                /* offset of the device in struct machine */
    uint32_t gsi;                /* its interrupt; 0: none */
    const char *acpi, *identity; /* name and hardware ID in ACPI; NULL: not in ACPI */
    enum {
        ALWAYS,
        TESTDEV,
        DEBUGCON,
        PCI,
        NO_PCI,
        PVPANIC,
        WATCHDOG,
        IRQCHIP
    } when; /* present only then */
};

#define IN(device) .state = offsetof(struct machine, device)

static const struct row rows[] = {
    {BUS_PIO, I8042_DATA_PORT, 1, &i8042_data_ops, IN(i8042), .gsi = I8042_IRQ, .acpi = "KBD_",
     .identity = ACPI_IDENTITY_KEYBOARD},
    {BUS_PIO, I8042_COMMAND_PORT, 1, &i8042_command_ops, IN(i8042)},
    {BUS_PIO, RESET_SYSTEM_PORT, 1, &reset_system_ops, IN(reset)},
    {BUS_PIO, RESET_CONTROL_PORT, 1, &reset_control_ops, IN(reset), .when = NO_PCI},
    {BUS_PIO, PCI_ADDRESS_PORT, PCI_PORTS, &pci_ports_ops, IN(pci), .when = PCI},
    {BUS_MMIO, PCI_MEMORY_BASE, PCI_MEMORY_SIZE, &pci_memory_ops, IN(pci), .when = PCI},
    {BUS_MMIO, PCI_WINDOW_BASE, PCI_WINDOW_END - PCI_WINDOW_BASE, &pci_low_ops, IN(pci),
     .when = PCI},
    {BUS_PIO, PIC_FIRST_PORT, PIC_PORTS, &pic_first_ops, IN(pic), .when = IRQCHIP},
    {BUS_PIO, PIC_SECOND_PORT, PIC_PORTS, &pic_second_ops, IN(pic), .when = IRQCHIP},
    {BUS_PIO, PIT_PORT, PIT_PORTS, &pit_ops, IN(pit), .when = IRQCHIP},
    {BUS_PIO, RTC_PORT, RTC_PORTS, &rtc_ops, IN(rtc), .gsi = RTC_IRQ, .acpi = "RTC_",
     .identity = "PNP0B00"},
    {BUS_PIO, NO_BIOS_PORT, 1, &no_bios_ops, IN(no_bios)},
    {BUS_PIO, DEBUG_EXIT_PORT, 4, &debug_exit_ops, IN(debug_exit)},
    {BUS_PIO, DEBUGCON_PORT, 1, &debugcon_ops, IN(debugcon), .when = DEBUGCON},
    {BUS_PIO, DEBUGCON_SEABIOS_PORT, 1, &debugcon_ops, IN(debugcon), .when = DEBUGCON},
    {BUS_PIO, DEBUGCON_POST_PORT, 1, &debugcon_post_ops, IN(debugcon)},
    {BUS_PIO, CRTC_PORT, CRTC_PORTS, &crtc_ops, IN(crtc)},
    {BUS_PIO, SERIAL_PORT, SERIAL_PORTS, &serial_ops, IN(serial), .gsi = SERIAL_IRQ, .acpi = "COM1",
     .identity = "PNP0501"},
    {BUS_PIO, ACPI_PM_PORT, ACPI_PM_PORTS, &acpi_pm_ops, IN(acpi_pm)},
    {BUS_MMIO, VMGENID_BASE, VMGENID_SIZE, &vmgenid_ops, IN(vmgenid), .acpi = "VGEN",
     .identity = "KVMM0001"},
    {BUS_PIO, HC_PORT, 1, &hypercall_ops, IN(hypercall)},
    {BUS_PIO, PVPANIC_PORT, 1, &pvpanic_ops, IN(pvpanic), .acpi = "PEVT", .identity = "QEMU0001",
     .when = PVPANIC},
    {BUS_PIO, WATCHDOG_PORT, WATCHDOG_PORTS, &watchdog_ops, IN(watchdog), .when = WATCHDOG},
    {BUS_PIO, FW_CFG_PORT, FW_CFG_PORTS, &fw_cfg_ops, IN(fw_cfg)},
    {BUS_PIO, FW_CFG_DMA_PORT, FW_CFG_DMA_PORTS, &fw_cfg_dma_ops, IN(fw_cfg)},
    {BUS_PIO, TESTDEV_WORD_PORT, TESTDEV_PORTS, &testdev_word_ops, IN(testdev), .when = TESTDEV},
    {BUS_PIO, TESTDEV_FLUSH_PORT, TESTDEV_PORTS, &testdev_flush_ops, IN(testdev), .when = TESTDEV},
    {BUS_PIO, TESTDEV_BYTE_PORT, TESTDEV_PORTS, &testdev_byte_ops, IN(testdev), .when = TESTDEV},
    {BUS_PIO, TESTDEV_IRQ_PORT, TESTDEV_LINES, &testdev_irq_ops, IN(testdev), .when = TESTDEV},
    {BUS_PIO, TESTDEV_VMWARE_PORT, TESTDEV_PORTS, &testdev_vmware_ops, IN(testdev),
     .when = TESTDEV},
    {BUS_MMIO, TESTDEV_MEMORY, TESTDEV_MEMORY_SIZE, &testdev_memory_ops, IN(testdev),
     .when = TESTDEV},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

/* ISA interrupts are edge-triggered. */
static struct irq_line line_of(const struct backend *backend, const struct bus_ops *ops)
{
    size_t i = 0;

    while (rows[i].ops != ops)
        i++;
    return (struct irq_line){.backend = backend, .gsi = rows[i].gsi, .trigger = IRQ_EDGE};
}

static gpa_t virtio_base(unsigned index)
{
    return VIRTIO_DEVICE_BASE + index * (gpa_t)VIRTIO_MMIO_SIZE;
}

gpa_t machine_notified_at(const struct machine *machine, unsigned index)
{
    return machine->virtio_pci[index].device == NULL ? virtio_base(index) + VIRTIO_MMIO_QUEUE_NOTIFY
                                                     : 0;
}

static int claim_virtio(struct machine *machine, const struct guest_config *config,
                        struct virtio_device *device, struct error *error)
{
    unsigned index = machine->virtio_count;

    if (index == VIRTIO_DEVICES_MAX)
        return error_set(error, "more than %d virtio devices (--disk, --net, --console ...)",
                         VIRTIO_DEVICES_MAX);
    machine->virtio[machine->virtio_count++] = device;
    if (config_has_virtio_pci(config)) {
        virtio_pci_init(&machine->virtio_pci[index], device, &machine->pci, 1 + index);
        return 0;
    }
    return bus_claim(&machine->bus, BUS_MMIO, virtio_base(index), VIRTIO_MMIO_SIZE,
                     &virtio_device_ops, device, error);
}

static int add_virtio(struct machine *machine, const struct guest_config *config,
                      const struct backend *backend, struct error *error)
{
    for (unsigned i = 0; i < config->disk_count; i++)
        if (blk_init(&machine->disks[i], backend, machine->virtio_count, config->disks[i].open,
                     error) < 0 ||
            claim_virtio(machine, config, &machine->disks[i].device, error) < 0)
            return -1;
    for (unsigned i = 0; i < config->net_count; i++)
        if (net_init(&machine->nets[i], backend, machine->virtio_count, config->nets[i].open,
                     error) < 0 ||
            claim_virtio(machine, config, &machine->nets[i].device, error) < 0)
            return -1;
    if (config->channels != NULL) {
        virtio_console_init(&machine->console, backend, machine->virtio_count, config->channels);
        if (claim_virtio(machine, config, &machine->console.device, error) < 0)
            return -1;
    }
    for (unsigned i = 0; i < config->share_count; i++)
        if (fs_init(&machine->shares[i], backend, machine->virtio_count, config->shares[i].open,
                    config->shares[i].tag, error) < 0 ||
            claim_virtio(machine, config, &machine->shares[i].device, error) < 0)
            return -1;
    if (config->vsock.open != NULL &&
        (vsock_init(&machine->vsock, backend, machine->virtio_count, config->vsock.cid,
                    config->vsock.open, error) < 0 ||
         claim_virtio(machine, config, &machine->vsock.device, error) < 0))
        return -1;
    if (config->rng) {
        rng_init(&machine->rng, backend, machine->virtio_count);
        if (claim_virtio(machine, config, &machine->rng.device, error) < 0)
            return -1;
    }
    if (!config->balloon)
        return 0;
    balloon_init(&machine->balloon, backend, machine->virtio_count);
    return claim_virtio(machine, config, &machine->balloon.device, error);
}

static bool is_there(const struct row *row, const struct guest_config *config)
{
    switch (row->when) {
    case TESTDEV:
        return config->testdev;
    case DEBUGCON:
        return config->debugcon != NULL;
    case PCI:
        return config_has_pci(config);
    case NO_PCI:
        return !config_has_pci(config);
    case PVPANIC:
        return config->pvpanic;
    case WATCHDOG:
        return config->watchdog != WATCHDOG_NONE;
    case IRQCHIP:
        return false; /* machine_add_irqchip */
    default:
        return true;
    }
}

/* If physical addresses are wide enough, there is also a window for PCI functions above RAM. */
static int add_pci(struct machine *machine, const struct guest_config *config,
                   const struct backend *backend, unsigned address_bits, struct error *error)
{
    machine->pci = (struct pci){0};
    if (!config_has_pci(config))
        return 0;
    memset(machine->virtio_pci, 0, sizeof machine->virtio_pci);
    pci_init(&machine->pci, &machine->reset, memory_end(backend->memory), address_bits);
    return machine->pci.high.size == 0
               ? 0
               : bus_claim(&machine->bus, BUS_MMIO, machine->pci.high.base, machine->pci.high.size,
                           &pci_high_ops, &machine->pci, error);
}

int machine_init(struct machine *machine, const struct guest_config *config,
                 const struct backend *backend, const struct backend *serial, unsigned address_bits,
                 struct error *error)
{
    machine->bus = (struct bus){0};
    machine->virtio_count = 0;
    hypercall_init(&machine->hypercall, backend);
    debug_exit_init(&machine->debug_exit, backend);
    debugcon_init(&machine->debugcon, backend);
    no_bios_init(&machine->no_bios, backend);
    i8042_init(&machine->i8042, backend, line_of(backend, &i8042_data_ops));
    reset_init(&machine->reset, backend);
    acpi_pm_init(&machine->acpi_pm, backend);
    crtc_init(&machine->crtc);
    rtc_init(&machine->rtc, backend, line_of(backend, &rtc_ops));
    serial_init(&machine->serial, serial, line_of(backend, &serial_ops),
                config->serial == SERIAL_STDIO && !config->no_ctrl_d && !config->text_screen);
    fw_cfg_init(&machine->fw_cfg, backend);
    vmgenid_init(&machine->vmgenid, backend);
    if (config->testdev)
        testdev_init(&machine->testdev, backend);
    pvpanic_init(&machine->pvpanic, backend);
    watchdog_init(&machine->watchdog, backend, config->watchdog);
    for (size_t i = 0; i < ROWS; i++)
        if (is_there(&rows[i], config) &&
            bus_claim(&machine->bus, rows[i].space, rows[i].base, rows[i].length, rows[i].ops,
                      (char *)machine + rows[i].state, error) < 0)
            return -1;
    if (add_pci(machine, config, backend, address_bits, error) < 0)
        return -1;
    return add_virtio(machine, config, backend, error);
}

int machine_add_irqchip(struct machine *machine, const struct backend *backend, struct error *error)
{
    pic_init(&machine->pic);
    pit_init(&machine->pit, backend, line_of(backend, &pit_ops));
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].when == IRQCHIP &&
            bus_claim(&machine->bus, rows[i].space, rows[i].base, rows[i].length, rows[i].ops,
                      (char *)machine + rows[i].state, error) < 0)
            return -1;
    return 0;
}

void machine_close(struct machine *machine)
{
    while (machine->virtio_count > 0) {
        struct virtio_device *d = machine->virtio[--machine->virtio_count];

        if (d->kind->close != NULL)
            d->kind->close(d);
    }
}

/* A whole device: one of the table, or one of the virtio devices after it. */
struct place {
    const struct bus_ops *ops;
    void *device;
};

static const struct bus_ops absent = {.name = "no device"};

/* False: `i` is behind the last device. */
static bool place_at(struct machine *machine, size_t i, struct place *place)
{
    if (i < ROWS) {
        const struct bus_range *range = bus_find(&machine->bus, rows[i].space, rows[i].base);

        /* In this machine another device may have the address. */
        *place =
            (struct place){.ops = range != NULL && range->ops == rows[i].ops ? range->ops : &absent,
                           .device = (char *)machine + rows[i].state};
    } else if (i - ROWS < machine->virtio_count) {
        *place = (struct place){.ops = &virtio_device_ops, .device = machine->virtio[i - ROWS]};
    } else
        return false;
    return true;
}

/* The name of its saved state. */
static void place_name(const struct machine *machine, size_t i, const struct place *place,
                       char name[CHUNK_NAME])
{
    if (i < ROWS)
        snprintf(name, CHUNK_NAME, "%s", place->ops->name);
    else
        snprintf(name, CHUNK_NAME, "virtio%u %s", (unsigned)(i - ROWS),
                 machine->virtio[i - ROWS]->kind->virtio.name);
}

static const char *const virtio_names[VIRTIO_DEVICES_MAX] = {"VIO0", "VIO1", "VIO2", "VIO3",
                                                             "VIO4", "VIO5", "VIO6", "VIO7"};

/* Whether ACPI announces the device. The keyboard is announced only with a text screen, because a
 * kernel probes it with a hundred exits and more. */
static bool is_announced(const struct row *row, const struct guest_config *config)
{
    return row->acpi != NULL && is_there(row, config) &&
           (config->text_screen || strcmp(row->identity, ACPI_IDENTITY_KEYBOARD) != 0);
}

unsigned machine_describe(const struct guest_config *config,
                          struct acpi_device devices[ACPI_DEVICES_MAX])
{
    unsigned count = 0;

    for (size_t i = 0; i < ROWS && count < ACPI_DEVICES_MAX; i++) {
        struct acpi_device *d = &devices[count];

        if (!is_announced(&rows[i], config))
            continue;
        *d = (struct acpi_device){.name = rows[i].acpi,
                                  .identity = rows[i].identity,
                                  .irq = rows[i].gsi,
                                  .memory = rows[i].space == BUS_MMIO,
                                  .generation = rows[i].ops == &vmgenid_ops};
        for (size_t j = i; j < ROWS && rows[j].state == rows[i].state; j++)
            if (d->range_count < ACPI_RANGES_MAX)
                d->ranges[d->range_count++] =
                    (struct acpi_range){(uint32_t)rows[j].base, (uint32_t)rows[j].length};
        count++;
    }
    if (config_has_pci(config) && count < ACPI_DEVICES_MAX) /* reserves the PCI window */
        devices[count++] =
            (struct acpi_device){.name = "PCIM",
                                 .identity = "PNP0C02",
                                 .memory = true,
                                 .ranges = {{(uint32_t)PCI_MEMORY_BASE, (uint32_t)PCI_MEMORY_SIZE}},
                                 .range_count = 1};
    if (config_has_virtio_pci(config))
        return count;
    for (unsigned i = 0; i < config_virtio_count(config) && count < ACPI_DEVICES_MAX; i++)
        devices[count++] =
            (struct acpi_device){.name = virtio_names[i],
                                 .identity = "LNRO0005",
                                 .number = i,
                                 .memory = true,
                                 .ranges = {{(uint32_t)virtio_base(i), VIRTIO_MMIO_SIZE}},
                                 .range_count = 1,
                                 .irq = VIRTIO_DEVICE_GSI + i};
    return count;
}

void machine_reset(struct machine *machine)
{
    struct place p;

    for (size_t i = 0; place_at(machine, i, &p); i++)
        bus_reset(p.ops, p.device);
}

bool machine_quiesce(struct machine *machine)
{
    bool quiet = true;
    struct place p;

    for (size_t i = 0; place_at(machine, i, &p); i++)
        if (p.ops->quiesce != NULL)
            quiet &= p.ops->quiesce(p.device);
    return quiet;
}

void machine_resume(struct machine *machine)
{
    struct place p;

    for (size_t i = 0; place_at(machine, i, &p); i++)
        if (p.ops->resume != NULL)
            p.ops->resume(p.device);
}

void machine_renew(struct machine *machine)
{
    vmgenid_renew(&machine->vmgenid);
    acpi_pm_general(&machine->acpi_pm, ACPI_PM_GENERATION);
}

void machine_save(struct machine *machine, struct chunk_writer *writer)
{
    char name[CHUNK_NAME];
    struct place p;

    for (size_t i = 0; place_at(machine, i, &p); i++) {
        place_name(machine, i, &p, name);
        bus_save(p.ops, p.device, name, writer);
    }
}

int machine_load(struct machine *machine, const struct chunk *chunk, struct error *error)
{
    char name[CHUNK_NAME];
    struct place p;

    for (size_t i = 0; place_at(machine, i, &p); i++) {
        place_name(machine, i, &p, name);
        if (strcmp(name, chunk->name) == 0)
            return bus_load(p.ops, p.device, chunk, error);
    }
    return error_set(error, "a saved state of \"%s\", which this machine does not have",
                     chunk->name);
}
