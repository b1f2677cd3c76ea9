/*
 * virtio over MMIO, version 2 (Virtual I/O Device 1.2: 2.7 split queues, 4.2 MMIO): the transport
 * and the queue engine. A device is a row of operations, and works in steps: each does a bounded
 * piece and says how to go on, so that its VM decides when, and holds its lock for one step only.
 * The driver is hostile: descriptors are copied before they are looked at, every chain is bounded
 * by the queue's size, every address is checked by the VM, and the queues' addresses are frozen
 * once a queue is ready. What a driver breaks sets DEVICE_NEEDS_RESET and stops that device until
 * it is reset.
 */
#ifndef DEV_VIRTIO_VIRTIO_H
#define DEV_VIRTIO_VIRTIO_H

#include "dev/device.h"

enum { VIRTIO_SLOTS = 3, VIRTIO_QUEUES = 2, VIRTIO_QUEUE_MAX = 128, VIRTIO_SIZE = 0x1000 };
enum { VIRTIO_NET = 1, VIRTIO_BLK = 2, VIRTIO_CONSOLE = 3 };

/* What became of a copy to the guest: not its memory, or memory that must be backed first. */
enum { VIRTIO_OK = 0, VIRTIO_BAD = -1, VIRTIO_UNBACKED = 1 };

enum virtio_step {
    STEP_IDLE,   /* nothing to do before the driver's next notification */
    STEP_MORE,   /* at once */
    STEP_WAIT,   /* for something outside: again in a moment */
    STEP_MEMORY, /* once the memory of the copy that failed is backed */
    STEP_FRAME   /* once the network's frame was handed on */
};

/* What the VM does for its devices, with its lock held. */
struct virtio_host {
    bool (*contains)(void *vm, gpa_t gpa, uint64_t size);
    bool (*read)(void *vm, gpa_t from, void *to, uint64_t size);
    int (*write)(void *vm, gpa_t to, const void *from, uint64_t size);
    size_t (*output)(void *vm, const char *text, size_t length); /* how much was taken */
};

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

struct virtio;

struct virtio_ops {
    const char *name;
    uint32_t id, queues;
    uint64_t features;
    enum virtio_step (*step)(struct virtio *dev);
    void (*reset)(struct virtio *dev);
    uint64_t (*config)(struct virtio *dev, uint64_t offset, unsigned width);
};

struct virtio {
    const struct virtio_ops *ops;
    const struct virtio_host *host;
    void *vm;
    void *state;                  /* of the device behind the transport */
    struct virtio_chain *scratch; /* for a chain that is served within one step */
    struct irq_line irq;
    bool kicked;  /* there is something to do */
    bool stepped; /* somebody takes its steps now */
    uint32_t status, interrupt, queue_select, feature_select, driver_feature_select;
    uint64_t driver_features;
    struct virtqueue queue[VIRTIO_QUEUES];
};

extern const struct device_ops virtio_ops; /* state: struct virtio */

void virtio_reset(struct virtio *dev);

/* Takes the next request of a queue; false when there is no request, or it was broken. */
bool virtio_pop(struct virtio *dev, unsigned queue, struct virtio_chain *chain);
/* Leaves the request that was taken last for later. */
void virtio_unpop(struct virtio *dev, unsigned queue);
/* Gives a request back with `written` bytes written and tells the driver: VIRTIO_OK, or
 * VIRTIO_UNBACKED where it must be done once more. */
int virtio_push(struct virtio *dev, unsigned queue, const struct virtio_chain *chain,
                uint32_t written) MUST_CHECK;
void virtio_broken(struct virtio *dev);

/* Copies from the readable or to the writable part of a chain, `skip` bytes into it; VIRTIO_BAD
 * where it is shorter, or is not the guest's memory. */
int virtio_read(struct virtio *dev, const struct virtio_chain *chain, uint64_t skip, void *to,
                uint64_t size) MUST_CHECK;
int virtio_write(struct virtio *dev, const struct virtio_chain *chain, uint64_t skip,
                 const void *from, uint64_t size) MUST_CHECK;

#endif
