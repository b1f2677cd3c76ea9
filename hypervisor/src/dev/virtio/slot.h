/*
 * A guest's virtio device in a slot of its physical map. Registers and rings are
 * common/device/virtio's; a device here is a set of functions and works in steps: each does a
 * bounded piece and returns how to continue. So the VM decides when, and holds its lock for one
 * step only. If the driver breaks a rule, the device stops until it is reset.
 */
#ifndef DEV_VIRTIO_SLOT_H
#define DEV_VIRTIO_SLOT_H

#include "common/device/virtio/virtio.h"
#include "dev/device.h"

enum { SLOTS_MAX = 4, SLOT_QUEUE = 128 };

enum slot_step {
    STEP_IDLE,   /* nothing to do before the driver's next notification */
    STEP_MORE,   /* at once */
    STEP_WAIT,   /* something else must happen first: call it again in a moment */
    STEP_MEMORY, /* after the memory of the failed access was made writable (vm->unbacked) */
    STEP_FRAME   /* after the network's frame was passed on */
};

struct slot;

struct slot_kind {
    struct virtio_ops virtio; /* with SLOT_OPS */
    uint64_t features;
    enum slot_step (*step)(struct slot *slot);
    void (*reset)(struct slot *slot); /* called after its held request was dropped */
};

struct slot {
    struct virtio virtio; /* its `device` is the kind's own state, its context this slot */
    const struct slot_kind *kind;
    void *vm; /* whose memory it reaches */
    struct irq_line irq;
    bool kicked;        /* there is something to do */
    bool stepped;       /* a task executes its steps now */
    const char *broken; /* the last rule that its driver broke; NULL: none */
    bool holds;         /* a request from one step to the next, which is: */
    struct virtio_chain request;
    struct virtio_part parts[SLOT_QUEUE];
};

extern const struct device_ops slot_ops; /* state: struct slot */

#define SLOT_OPS .notified = slot_notified, .reset = slot_reset

/* The VM's `world` has a slot as its context. */
void slot_init(struct slot *slot, const struct slot_kind *kind, const struct virtio_world *world,
               void *vm, struct irq_line irq);
/* Its device's configuration: `size` bytes that the driver reads. */
void slot_set_config(struct slot *slot, void *config, uint32_t size);

void slot_notified(struct virtio *dev, unsigned queue);
void slot_reset(struct virtio *dev);

/* Takes the next request of a queue, to hold it. */
bool slot_take(struct slot *slot, unsigned queue) MUST_CHECK;
/* Pushes a request and notifies the driver: VIRTIO_OK, or VIRTIO_LATER. */
int slot_push(struct slot *slot, const struct virtio_chain *chain, uint32_t written) MUST_CHECK;
/* For an empty queue: asks the driver for a notification, and returns the step to take. */
enum slot_step slot_listen(struct slot *slot, unsigned queue) MUST_CHECK;

static inline struct slot *slot_of(struct virtio *dev)
{
    return dev->context;
}

#endif
