/* Virtual I/O Device (VIRTIO) 1.2, 4.1: capabilities in configuration space say where the registers
 * are. Interrupts use the line number that the BIOS has written there. */
#include "disk/virtio_pci.h"

#include <stddef.h>

#include "abi/virtio.h"
#include "memory/paging.h"

enum { PCI_COMMAND = 0x04, PCI_BARS = 0x10, PCI_CAPABILITIES = 0x34, PCI_INTERRUPT = 0x3c };
enum { COMMAND_MEMORY = 2, COMMAND_MASTER = 4, COMMAND_NO_INTERRUPT = 1 << 10 };
enum { STATUS_CAPABILITIES = 1 << 20, CAPABILITIES_MAX = 48, VENDOR = 9, BARS = 6 };
enum { BAR_IO = 1, BAR_64 = 4, BAR_FLAGS = 15, LINES = 16, MAPPED_MAX = 0x10000 };

enum capability { CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_ISR = 3, CAP_DEVICE = 4, CAPS = 5 };

enum common { /* 4.1.4.3 */
              COMMON_DEVICE_SELECT = 0x00,
              COMMON_DEVICE_FEATURES = 0x04,
              COMMON_DRIVER_SELECT = 0x08,
              COMMON_DRIVER_FEATURES = 0x0c,
              COMMON_STATUS = 0x14,
              COMMON_QUEUE_SELECT = 0x16,
              COMMON_QUEUE_SIZE = 0x18,
              COMMON_QUEUE_ENABLE = 0x1c,
              COMMON_QUEUE_NOTIFY = 0x1e,
              COMMON_QUEUE_DESCRIPTORS = 0x20,
              COMMON_QUEUE_DRIVER = 0x28,
              COMMON_QUEUE_DEVICE = 0x30,
              COMMON_SIZE = 0x38,
};

static void put16(const struct virtio_bus *v, enum common at, uint16_t value)
{
    *(volatile uint16_t *)(v->common + at) = value;
}

static uint16_t get16(const struct virtio_bus *v, enum common at)
{
    return *(volatile uint16_t *)(v->common + at);
}

static void put32(const struct virtio_bus *v, enum common at, uint32_t value)
{
    *(volatile uint32_t *)(v->common + at) = value;
}

static uint32_t get32(const struct virtio_bus *v, enum common at)
{
    return *(volatile uint32_t *)(v->common + at);
}

static void put_address(const struct virtio_bus *v, enum common at, phys_t address)
{
    put32(v, at, (uint32_t)address.at);
    put32(v, at + 4, (uint32_t)(address.at >> 32));
}

static uint8_t status(const struct virtio_bus *v)
{
    return v->common[COMMON_STATUS];
}

static void set_status(const struct virtio_bus *v, uint8_t value)
{
    v->common[COMMON_STATUS] = value;
}

static uint32_t features(const struct virtio_bus *v, unsigned half)
{
    put32(v, COMMON_DEVICE_SELECT, half);
    return get32(v, COMMON_DEVICE_FEATURES);
}

static void set_features(const struct virtio_bus *v, unsigned half, uint32_t value)
{
    put32(v, COMMON_DRIVER_SELECT, half);
    put32(v, COMMON_DRIVER_FEATURES, value);
}

static int queue(struct virtio_bus *v, uint16_t size, phys_t descriptors, phys_t available,
                 phys_t used)
{
    uint64_t where;

    put16(v, COMMON_QUEUE_SELECT, 0);
    if (get16(v, COMMON_QUEUE_SIZE) < size)
        return -1;
    put16(v, COMMON_QUEUE_SIZE, size);
    put_address(v, COMMON_QUEUE_DESCRIPTORS, descriptors);
    put_address(v, COMMON_QUEUE_DRIVER, available);
    put_address(v, COMMON_QUEUE_DEVICE, used);
    where = (uint64_t)get16(v, COMMON_QUEUE_NOTIFY) * v->notify_step;
    if (where >= MAPPED_MAX)
        return -1;
    v->first_kick = (volatile uint16_t *)(v->notify + where);
    put16(v, COMMON_QUEUE_ENABLE, 1);
    return 0;
}

static void kick(const struct virtio_bus *v)
{
    *v->first_kick = 0;
}

static bool interrupted(const struct virtio_bus *v)
{
    return v->isr[0] & (VIRTIO_INTERRUPT_USED | VIRTIO_INTERRUPT_CONFIG);
}

static uint64_t config64(const struct virtio_bus *v, unsigned offset)
{
    const volatile uint32_t *at = (const volatile uint32_t *)(v->config + offset);

    return at[0] | (uint64_t)at[1] << 32;
}

/* Maps the part of a memory BAR that a capability describes. NULL if not found. */
static volatile uint8_t *map(const struct pci_function *f, unsigned capability)
{
    unsigned bar = pci_read(f, capability + 4) & 0xff;
    uint32_t offset = pci_read(f, capability + 8), length = pci_read(f, capability + 12);
    uint64_t base;

    if (bar >= BARS || length == 0)
        return NULL;
    if (length > MAPPED_MAX)
        length = MAPPED_MAX; /* cuts off notification registers of unused queues */
    base = pci_read(f, PCI_BARS + bar * 4);
    if (base & BAR_IO)
        return NULL;
    if ((base & BAR_64) && bar + 1 < BARS)
        base |= (uint64_t)pci_read(f, PCI_BARS + (bar + 1) * 4) << 32;
    base &= ~(uint64_t)BAR_FLAGS;
    return base == 0
               ? NULL
               : paging_map_device(PHYS(base + offset), length, PAGING_WRITE | PAGING_UNCACHED);
}

const char *virtio_pci_open(struct virtio_bus *v, const struct pci_function *f)
{
    static const struct virtio_bus_ops ops = {status, set_status, features,    set_features,
                                              queue,  kick,       interrupted, config64};
    volatile uint8_t *mapped[CAPS] = {0};
    uint32_t command = pci_read(f, PCI_COMMAND);
    unsigned at = pci_read(f, PCI_CAPABILITIES) & 0xfc;

    if (!(command & STATUS_CAPABILITIES))
        at = 0;
    for (unsigned i = 0; at != 0 && i < CAPABILITIES_MAX; i++) {
        uint32_t head = pci_read(f, at);
        unsigned type = head >> 24;

        if ((head & 0xff) == VENDOR && type < CAPS && type > 0 && mapped[type] == NULL) {
            mapped[type] = map(f, at);
            if (type == CAP_NOTIFY)
                v->notify_step = pci_read(f, at + 16);
        }
        at = head >> 8 & 0xfc;
    }
    v->ops = &ops;
    v->common = mapped[CAP_COMMON];
    v->notify = mapped[CAP_NOTIFY];
    v->isr = mapped[CAP_ISR];
    v->config = mapped[CAP_DEVICE];
    v->line = pci_read(f, PCI_INTERRUPT) & 0xff;
    if (v->common == NULL || v->notify == NULL || v->isr == NULL || v->config == NULL)
        return "no registers of virtio 1.x";
    if (v->line == 0 || v->line >= LINES)
        return "no interrupt line";
    command =
        (command & 0xffff & ~(uint32_t)COMMAND_NO_INTERRUPT) | COMMAND_MEMORY | COMMAND_MASTER;
    pci_write(f, PCI_COMMAND, command);
    return NULL;
}
