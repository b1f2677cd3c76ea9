/*
 * virtio over MMIO, version 2 (Virtual I/O Device 1.2: 2.7 split queues, 4.2 MMIO): the transport
 * and the queue engine. A device is a row of operations. The driver is hostile: descriptors are
 * copied before they are looked at, every chain is bounded by the queue's size, every address goes
 * through memory_read() and memory_write(), and the queues' addresses are frozen once a queue is
 * ready. What a driver breaks sets DEVICE_NEEDS_RESET and stops that device until it is reset.
 */
#ifndef DEV_VIRTIO_VIRTIO_H
#define DEV_VIRTIO_VIRTIO_H

#include "dev/device.h"

enum { VIRTIO_SLOTS = 3, VIRTIO_QUEUES = 2, VIRTIO_QUEUE_MAX = 256, VIRTIO_SIZE = 0x1000 };
enum { VIRTIO_NET = 1, VIRTIO_BLK = 2, VIRTIO_CONSOLE = 3 };

struct vm;
struct virtio;

struct virtqueue {
    uint32_t size;
    bool ready;
    gpa_t descriptors, driver, device; /* descriptor table, available ring, used ring */
    uint16_t next_available, next_used;
};

/* A request as the driver made it: one chain of descriptors, copied. */
struct virtio_chain {
    uint16_t head;
    unsigned count;
    struct {
        gpa_t at;
        uint32_t size;
        bool writable; /* by the device */
    } part[VIRTIO_QUEUE_MAX];
    uint64_t readable, writable; /* bytes in all */
};

struct virtio_ops {
    const char *name;
    uint32_t id, queues;
    uint64_t features;
    void (*notify)(struct virtio *dev, unsigned queue);
    void (*reset)(struct virtio *dev);
    uint64_t (*config)(struct virtio *dev, uint64_t offset, unsigned width);
};

struct virtio {
    const struct virtio_ops *ops;
    struct vm *vm;
    struct irq_line irq;
    void *state; /* of the device behind the transport */
    uint32_t status, interrupt, queue_select, feature_select, driver_feature_select;
    uint64_t driver_features;
    struct virtqueue queue[VIRTIO_QUEUES];
};

extern const struct device_ops virtio_ops; /* state: struct virtio */

void virtio_init(struct virtio *dev, struct vm *vm, const struct virtio_ops *ops, void *state);
void virtio_reset(struct virtio *dev);

/* Takes the next request of a queue; false when there is none, or it was broken. */
bool virtio_pop(struct virtio *dev, unsigned queue, struct virtio_chain *chain);
/* Gives it back with `written` bytes written; virtio_interrupt() tells the driver. */
void virtio_push(struct virtio *dev, unsigned queue, const struct virtio_chain *chain,
                 uint32_t written);
void virtio_interrupt(struct virtio *dev);
void virtio_broken(struct virtio *dev);

/* Copies from the readable or to the writable part of a chain, `skip` bytes into it; false where it
 * is shorter, or is not the guest's memory. */
bool virtio_read(struct virtio *dev, const struct virtio_chain *chain, uint64_t skip, void *to,
                 uint64_t size) MUST_CHECK;
bool virtio_write(struct virtio *dev, const struct virtio_chain *chain, uint64_t skip,
                  const void *from, uint64_t size) MUST_CHECK;

#endif
