/*
 * Virtual I/O Device (VIRTIO) 1.2, 4.2: registers in memory.
 *
 * ACPI describes devices in a language (AML: ACPI 6.4, 20) that is not interpreted here. Instead,
 * the bytes behind the name LNRO0005 are searched for resources (6.4.3.4, fixed memory; 6.4.3.6,
 * interrupt). This finds devices with constant resources, as virtual machines have them.
 */
#include "disk/virtio_mmio.h"

#include <stddef.h>

#include "abi/virtio.h"
#include "common/string.h"
#include "interrupt/acpi.h"
#include "interrupt/controller.h"
#include "memory/paging.h"

#define NAME "LNRO0005"

enum { MEMORY_FIXED = 0x86, MEMORY_LENGTH = 9, INTERRUPT = 0x89, INTERRUPT_LENGTH = 6 };
enum { MMIO_VERSION = 2, MMIO_SIZE = 0x1000, REACH = 128 /* bytes behind the name */ };

static volatile uint32_t *at(const struct virtio_bus *bus, unsigned reg)
{
    return (volatile uint32_t *)(bus->common + reg);
}

static uint8_t status(const struct virtio_bus *bus)
{
    return (uint8_t)*at(bus, VIRTIO_MMIO_STATUS);
}

static void set_status(const struct virtio_bus *bus, uint8_t value)
{
    *at(bus, VIRTIO_MMIO_STATUS) = value;
}

static uint32_t features(const struct virtio_bus *bus, unsigned half)
{
    *at(bus, VIRTIO_MMIO_DEVICE_FEATURES_SEL) = half;
    return *at(bus, VIRTIO_MMIO_DEVICE_FEATURES);
}

static void set_features(const struct virtio_bus *bus, unsigned half, uint32_t value)
{
    *at(bus, VIRTIO_MMIO_DRIVER_FEATURES_SEL) = half;
    *at(bus, VIRTIO_MMIO_DRIVER_FEATURES) = value;
}

static void put_address(const struct virtio_bus *bus, unsigned reg, phys_t address)
{
    *at(bus, reg) = (uint32_t)address.at;
    *at(bus, reg + 4) = (uint32_t)(address.at >> 32);
}

static int queue(struct virtio_bus *bus, uint16_t size, phys_t descriptors, phys_t available,
                 phys_t used)
{
    *at(bus, VIRTIO_MMIO_QUEUE_SEL) = 0;
    if (*at(bus, VIRTIO_MMIO_QUEUE_NUM_MAX) < size)
        return -1;
    *at(bus, VIRTIO_MMIO_QUEUE_NUM) = size;
    put_address(bus, VIRTIO_MMIO_QUEUE_DESC, descriptors);
    put_address(bus, VIRTIO_MMIO_QUEUE_DRIVER, available);
    put_address(bus, VIRTIO_MMIO_QUEUE_DEVICE, used);
    *at(bus, VIRTIO_MMIO_QUEUE_READY) = 1;
    return 0;
}

static void kick(const struct virtio_bus *bus)
{
    *at(bus, VIRTIO_MMIO_QUEUE_NOTIFY) = 0;
}

static bool interrupted(const struct virtio_bus *bus)
{
    uint32_t pending = *at(bus, VIRTIO_MMIO_INTERRUPT_STATUS);

    *at(bus, VIRTIO_MMIO_INTERRUPT_ACK) = pending;
    return pending != 0;
}

static uint64_t config64(const struct virtio_bus *bus, unsigned offset)
{
    return *at(bus, VIRTIO_MMIO_CONFIG + offset) |
           (uint64_t)*at(bus, VIRTIO_MMIO_CONFIG + offset + 4) << 32;
}

static bool open(struct virtio_bus *bus, uint32_t base, uint32_t line, unsigned type)
{
    static const struct virtio_bus_ops ops = {status, set_status, features,    set_features,
                                              queue,  kick,       interrupted, config64};

    if (base == 0 || base % MMIO_SIZE > MMIO_SIZE - VIRTIO_MMIO_CONFIG - 64 || line == 0 ||
        line >= INTERRUPT_IRQS)
        return false;
    *bus = (struct virtio_bus){.ops = &ops, .line = line};
    bus->common =
        paging_map_device(PHYS(base), VIRTIO_MMIO_CONFIG + 64, PAGING_WRITE | PAGING_UNCACHED);
    return bus->common != NULL && *at(bus, VIRTIO_MMIO_MAGIC) == VIRTIO_MMIO_MAGIC_VALUE &&
           *at(bus, VIRTIO_MMIO_VERSION) == MMIO_VERSION && *at(bus, VIRTIO_MMIO_DEVICE_ID) == type;
}

/* Finds a resource with this head and at least this length. Returns the 32 bits at its `offset`, or
 * 0. */
static uint32_t resource(const uint8_t *from, size_t size, uint8_t head, unsigned length,
                         unsigned offset)
{
    for (size_t i = 0; i + 3 + length <= size; i++) {
        uint32_t value;

        if (from[i] != head || from[i + 1] != length || from[i + 2] != 0)
            continue;
        memcpy(&value, from + i + offset, sizeof value);
        return value;
    }
    return 0;
}

void virtio_mmio_scan(unsigned type, void (*visit)(void *context, const struct virtio_bus *bus),
                      void *context)
{
    const struct acpi_header *dsdt = acpi_devices();
    const uint8_t *bytes = (const uint8_t *)dsdt;
    size_t size = dsdt != NULL ? dsdt->length : 0;

    for (size_t i = 0; i + sizeof NAME <= size; i++) {
        const uint8_t *behind = bytes + i + sizeof NAME;
        size_t left = size - i - sizeof NAME < REACH ? size - i - sizeof NAME : REACH;
        struct virtio_bus bus;

        if (memcmp(bytes + i, NAME, sizeof NAME) == 0 &&
            open(&bus, resource(behind, left, MEMORY_FIXED, MEMORY_LENGTH, 4),
                 resource(behind, left, INTERRUPT, INTERRUPT_LENGTH, 5), type))
            visit(context, &bus);
    }
}
