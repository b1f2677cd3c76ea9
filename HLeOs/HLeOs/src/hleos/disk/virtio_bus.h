/* The registers of a virtio device, over PCI or MMIO (VIRTIO 1.2, 4.1 and 4.2). */
#ifndef HLEOS_DISK_VIRTIO_BUS_H
#define HLEOS_DISK_VIRTIO_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "memory/address.h"

struct virtio_bus;

struct virtio_bus_ops {
    uint8_t (*status)(const struct virtio_bus *bus); /* enum virtio_status */
    void (*set_status)(const struct virtio_bus *bus, uint8_t status);
    /* 32 features each: the low half by 0, the high one by 1. */
    uint32_t (*features)(const struct virtio_bus *bus, unsigned half);
    void (*set_features)(const struct virtio_bus *bus, unsigned half, uint32_t features);
    /* Sets the addresses of the first queue; -1 if the device does not support that size. */
    int (*queue)(struct virtio_bus *bus, uint16_t size, phys_t descriptors, phys_t available,
                 phys_t used);
    void (*kick)(
        const struct virtio_bus *bus); /* notifies the device of requests in the first queue */
    /* Whether the device raised the interrupt; acknowledges it. */
    bool (*interrupted)(const struct virtio_bus *bus);
    uint64_t (*config64)(const struct virtio_bus *bus, unsigned offset);
};

struct virtio_bus {
    const struct virtio_bus_ops *ops;
    unsigned line; /* of its interrupt */
    /* Where they are mapped. By MMIO they are all behind `common`. */
    volatile uint8_t *common, *notify, *isr, *config;
    uint32_t notify_step;          /* bytes from one queue's notification to the next */
    volatile uint16_t *first_kick; /* the first queue's notification; set with the queue */
};

#endif
