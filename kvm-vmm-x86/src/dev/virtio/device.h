/*
 * A virtio device of the machine: registers and queues are in common/device/virtio, the handling of
 * requests in each kind (blk.h, ...). This file is the MMIO transport, which ACPI names LNRO0005;
 * pci.h makes a device a PCI function.
 *
 * Two kinds of threads come here: vCPUs, at its registers, and the device's own thread, which
 * serves its requests (virtio_device_run). Both hold the device's lock, and neither waits for the
 * host with it held.
 *
 */
#ifndef DEV_VIRTIO_DEVICE_H
#define DEV_VIRTIO_DEVICE_H

#include "common/device/virtio/virtio.h"
#include "dev/backend.h"
#include "dev/bus.h"
#include "dev/irq.h"
#include "host/threads.h"

/* The address of the first device, and its interrupt: pins of the I/O APIC that no ISA device
 * has. */
#define VIRTIO_DEVICE_BASE UINT64_C(0xd0000000)
enum { VIRTIO_DEVICES_MAX = 8 /* as many as there are pins */, VIRTIO_DEVICE_GSI = 16 };

struct virtio_device;

/* What differs from kind to kind. Called with the lock held. */
struct virtio_kind {
    struct virtio_ops virtio;
    /* Collects what the host has done, takes new requests, begins them. Returns whether there is
     * more to do at once. */
    bool (*run)(struct virtio_device *device);
    /* Its state beside the queues, plain data; NULL and 0: none. */
    void *(*state)(struct virtio_device *device);
    size_t state_size;
    /* Called after a load of that state: false if it is impossible. */
    bool (*loaded)(struct virtio_device *device);
    void (*close)(struct virtio_device *device);
};

/* What differs between MMIO and PCI. Called with the lock held. */
struct virtio_transport {
    /* As in struct virtio_world. */
    void (*interrupt)(struct virtio_device *device, unsigned source, bool raise);
    /* These are NULL for MMIO: a reset, and the transport's own state, as for a kind. */
    void (*reset)(struct virtio_device *device);
    void *(*state)(struct virtio_device *device);
    size_t state_size;
    bool (*loaded)(struct virtio_device *device);
};

struct virtio_device {
    const struct virtio_kind *kind;
    const struct virtio_transport *transport;
    void *transport_state;
    const struct backend *backend;
    unsigned index; /* of the guest's virtio devices */
    int fd;         /* of the host: its thread runs when it becomes readable; -1: none */
    /* Lets its thread run, from any thread; NULL: it has no thread yet. */
    void (*wake)(void *context);
    void *wake_context;
    struct lock lock; /* protects what follows */
    struct virtio virtio;
    struct irq_line irq;
    bool quiet;          /* takes no requests: the machine is paused */
    bool stopped;        /* stopped as well: it may not access guest memory */
    bool awaited;        /* a pause waits for the last request in flight */
    unsigned complaints; /* lines that were printed about its driver */
};

extern const struct bus_ops virtio_device_ops;

/* `config` stays where it is. */
void virtio_device_init(struct virtio_device *device, const struct virtio_kind *kind,
                        const struct backend *backend, unsigned index, uint64_t features,
                        uint32_t queue_size, void *config, uint32_t config_size);

/* For its thread: serves what there is. True: there is more, and it is to be called again. */
bool virtio_device_run(void *device) MUST_CHECK;

/* Lets its thread run, if it has one. */
void virtio_device_wake(struct virtio_device *device);

/* For kinds: whether requests may be taken. */
bool virtio_device_is_open(const struct virtio_device *device);

#endif
