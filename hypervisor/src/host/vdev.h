/*
 * The machine's virtio devices over MMIO as their driver sees them (virtio 1.2, 2.7 and 4.2):
 * version 2, and version 1 (4.2.4), which is what QEMU offers without -global
 * virtio-mmio.force-legacy=false. What disk.c and nic.c share.
 */
#ifndef HOST_VDEV_H
#define HOST_VDEV_H

#include "lib/types.h"

enum { VDEV_QUEUE = 32, VDEV_ALIGN = 64, VDEV_NEXT = 1, VDEV_WRITE = 2 };

struct vdev_descriptor {
    uint64_t at;
    uint32_t size;
    uint16_t flags, next;
};

/* A queue, which the device reads and writes by itself; at the beginning of a page. */
struct vdev_ring {
    struct vdev_descriptor descriptors[VDEV_QUEUE];
    uint16_t available_flags, available_index, available[VDEV_QUEUE], available_event;
    uint32_t used_header
        __attribute__((aligned(VDEV_ALIGN))); /* flags, and in the high half index */
    struct {
        uint32_t head, size;
    } used[VDEV_QUEUE];
};
_Static_assert(offsetof(struct vdev_ring, used_header) == 10 * VDEV_ALIGN, "as version 1 finds it");

struct vdev {
    uint64_t base;
    uint32_t interrupt;
};

/* The machine's device number `number` of a kind; its slot, or negative. */
int vdev_find(uint32_t kind, unsigned number, struct vdev *dev) MUST_CHECK;
volatile uint32_t *vdev_reg(const struct vdev *dev, uint64_t offset);
/* Resets the device, which then accesses no memory (2.4). False: it does not confirm the reset. */
bool vdev_reset(const struct vdev *dev) MUST_CHECK;
/* Resets it and agrees on those of `features` that it has. */
bool vdev_begin(const struct vdev *dev, uint64_t *features) MUST_CHECK;
void vdev_set_queue(const struct vdev *dev, uint32_t queue, const struct vdev_ring *ring);
void vdev_go(const struct vdev *dev);
/* Makes a chain available to the device; then call vdev_notify(). */
void vdev_offer(struct vdev_ring *ring, uint16_t head);
void vdev_notify(const struct vdev *dev, uint32_t queue);
/* How many chains the device has returned, modulo 2^16; its writes to them are visible then. */
uint16_t vdev_used(const struct vdev_ring *ring);
void vdev_acknowledge(const struct vdev *dev);

#endif
