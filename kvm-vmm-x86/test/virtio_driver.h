/* The driver's side of a virtio device, for unit tests: a little guest memory, queues in it, and
 * requests of a few parts each. */
#ifndef TEST_VIRTIO_DRIVER_H
#define TEST_VIRTIO_DRIVER_H

#include <string.h>

#include "cmocka_all.h"
#include "dev/virtio/device.h"
#include "fake_backend.h"

enum {
    DRIVER_RAM = 0x40000,
    DRIVER_QUEUE_SIZE = 16,
    DRIVER_QUEUE = 0x1000,  /* queue N has its parts at this + N * 0x1000 */
    DRIVER_BUFFER = 0x20000 /* where requests have their bytes */
};

struct driver {
    struct fake fake;
    uint8_t ram[DRIVER_RAM];
    struct virtio_device *device;
    unsigned wakes;
    uint16_t offered[VIRTIO_QUEUES_MAX], descriptors;
};

static inline void driver_wake(void *context)
{
    ((struct driver *)context)->wakes++;
}

static inline void driver_memory(struct driver *d)
{
    memset(d, 0, sizeof *d);
    fake_init(&d->fake);
    memory_init(&d->fake.memory, 0, sizeof d->ram, d->ram);
}

static inline enum verdict driver_reach(struct driver *d, uint64_t offset, bool write,
                                        uint32_t *value)
{
    struct kvm_regs regs = {0};
    struct bus_cpu cpu = {.regs = &regs};
    struct bus_access access = {
        .offset = offset, .data = (uint8_t *)value, .size = 4, .write = write, .cpu = &cpu};

    return virtio_device_ops.access(d->device, &access);
}

static inline void driver_set(struct driver *d, uint64_t offset, uint32_t value)
{
    assert_int_equal(driver_reach(d, offset, true, &value), VERDICT_RESUME);
}

static inline uint32_t driver_get(struct driver *d, uint64_t offset)
{
    uint32_t value = 0;

    assert_int_equal(driver_reach(d, offset, false, &value), VERDICT_RESUME);
    return value;
}

/* As a kernel does it, with every feature that is offered. */
static inline void driver_start(struct driver *d, struct virtio_device *device)
{
    d->device = device;
    device->wake = driver_wake;
    device->wake_context = d;
    d->descriptors = 0;
    memset(d->offered, 0, sizeof d->offered);
    memset(d->ram + DRIVER_QUEUE, 0, VIRTIO_QUEUES_MAX * 0x1000);
    driver_set(d, VIRTIO_MMIO_STATUS, 3);
    for (uint32_t half = 0; half < 2; half++) {
        driver_set(d, VIRTIO_MMIO_DEVICE_FEATURES_SEL, half);
        driver_set(d, VIRTIO_MMIO_DRIVER_FEATURES_SEL, half);
        driver_set(d, VIRTIO_MMIO_DRIVER_FEATURES, driver_get(d, VIRTIO_MMIO_DEVICE_FEATURES));
    }
    driver_set(d, VIRTIO_MMIO_STATUS, 0xb);
    for (uint32_t q = 0; q < device->kind->virtio.queues; q++) {
        uint32_t base = DRIVER_QUEUE + q * 0x1000;

        driver_set(d, VIRTIO_MMIO_QUEUE_SEL, q);
        driver_set(d, VIRTIO_MMIO_QUEUE_NUM, DRIVER_QUEUE_SIZE);
        driver_set(d, VIRTIO_MMIO_QUEUE_DESC, base);
        driver_set(d, VIRTIO_MMIO_QUEUE_DRIVER, base + 0x400);
        driver_set(d, VIRTIO_MMIO_QUEUE_DEVICE, base + 0x800);
        driver_set(d, VIRTIO_MMIO_QUEUE_READY, 1);
    }
    driver_set(d, VIRTIO_MMIO_STATUS, 0xf);
    assert_int_equal(driver_get(d, VIRTIO_MMIO_STATUS), 0xf);
}

struct driver_part {
    uint32_t at, size; /* `at`: from DRIVER_BUFFER on */
    bool writable;
};

/* Offers a request and notifies the device, as a kernel would. */
static inline void driver_offer(struct driver *d, unsigned queue, const struct driver_part *parts,
                                unsigned count)
{
    uint8_t *base = d->ram + DRIVER_QUEUE + queue * 0x1000;
    uint16_t head = d->descriptors % DRIVER_QUEUE_SIZE, index = ++d->offered[queue];

    for (unsigned i = 0; i < count; i++) {
        uint16_t at = d->descriptors++ % DRIVER_QUEUE_SIZE;
        struct virtio_descriptor desc = {
            .address = DRIVER_BUFFER + parts[i].at,
            .size = parts[i].size,
            .flags = (uint16_t)((parts[i].writable ? VIRTIO_DESC_WRITE : 0) |
                                (i + 1 < count ? VIRTIO_DESC_NEXT : 0)),
            .next = (uint16_t)(d->descriptors % DRIVER_QUEUE_SIZE)};

        memcpy(base + at * sizeof desc, &desc, sizeof desc);
    }
    memcpy(base + 0x404 + 2 * ((index - 1) % DRIVER_QUEUE_SIZE), &head, 2);
    memcpy(base + 0x402, &index, 2);
    memcpy(base + 0x404 + 2 * DRIVER_QUEUE_SIZE, base + 0x802,
           2); /* it wants to hear of the next */
    driver_set(d, VIRTIO_MMIO_QUEUE_NOTIFY, queue);
}

/* What the device's thread does. */
static inline void driver_serve(struct driver *d)
{
    while (virtio_device_run(d->device))
        ;
}

/* How many requests have come back. */
static inline uint16_t driver_used(const struct driver *d, unsigned queue)
{
    uint16_t index;

    memcpy(&index, d->ram + DRIVER_QUEUE + queue * 0x1000 + 0x802, 2);
    return index;
}

/* The number of bytes written by the request that came back as the n-th. */
static inline uint32_t driver_written(const struct driver *d, unsigned queue, unsigned n)
{
    struct virtio_used used;

    memcpy(&used,
           d->ram + DRIVER_QUEUE + queue * 0x1000 + 0x804 + n % DRIVER_QUEUE_SIZE * sizeof used,
           sizeof used);
    return used.written;
}

#endif
