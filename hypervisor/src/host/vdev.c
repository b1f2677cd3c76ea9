/* Drives the machine's virtio devices; see vdev.h. */
#include "host/vdev.h"

#include "abi/virtio.h"
#include "cpu/hyp.h"
#include "host/machine.h"

enum { MAGIC = 0x74726976, RESETS_POLLED = 100000 };
enum reg {
    R_MAGIC = 0x00,
    R_VERSION = 0x04,
    R_DEVICE = 0x08,
    R_FEATURES = 0x10,
    R_FEATURES_SEL = 0x14,
    R_DRIVER_FEATURES = 0x20,
    R_DRIVER_FEATURES_SEL = 0x24,
    R_PAGE_SIZE = 0x28, /* this and the next two: legacy devices */
    R_QUEUE_ALIGN = 0x3c,
    R_QUEUE_PAGE = 0x40,
    R_QUEUE_SEL = 0x30,
    R_QUEUE_NUM = 0x38,
    R_QUEUE_READY = 0x44,
    R_NOTIFY = 0x50,
    R_INTERRUPT = 0x60,
    R_INTERRUPT_ACK = 0x64,
    R_STATUS = 0x70,
    R_DESCRIPTORS = 0x80,
    R_DRIVER = 0x90,
    R_DEVICE_RING = 0xa0
};

volatile uint32_t *vdev_reg(const struct vdev *dev, uint64_t offset)
{
    return (volatile uint32_t *)(dev->base + offset);
}

int vdev_find(uint32_t kind, unsigned number, struct vdev *dev)
{
    for (unsigned i = 0; i < machine.virtio_count; i++) {
        *dev = (struct vdev){machine.virtio[i].base, machine.virtio[i].interrupt};
        if (*vdev_reg(dev, R_MAGIC) == MAGIC && *vdev_reg(dev, R_VERSION) - 1 <= 1 &&
            *vdev_reg(dev, R_DEVICE) == kind && number-- == 0)
            return (int)i;
    }
    return -1;
}

bool vdev_reset(const struct vdev *dev)
{
    *vdev_reg(dev, R_STATUS) = 0;
    for (int i = 0; i < RESETS_POLLED; i++)
        if (*vdev_reg(dev, R_STATUS) == 0)
            return true;
    return false;
}

static bool is_old(const struct vdev *dev)
{
    return *vdev_reg(dev, R_VERSION) == 1;
}

bool vdev_begin(const struct vdev *dev, uint64_t *features)
{
    const uint32_t known = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER;

    if (!vdev_reset(dev))
        return false;
    *vdev_reg(dev, R_STATUS) = known;
    *vdev_reg(dev, R_FEATURES_SEL) = 0;
    *features &= *vdev_reg(dev, R_FEATURES);
    *vdev_reg(dev, R_DRIVER_FEATURES_SEL) = 0;
    *vdev_reg(dev, R_DRIVER_FEATURES) = (uint32_t)*features;
    if (is_old(dev)) {
        *vdev_reg(dev, R_PAGE_SIZE) = PAGE_4K;
        return true;
    }
    *vdev_reg(dev, R_DRIVER_FEATURES_SEL) = 1;
    *vdev_reg(dev, R_DRIVER_FEATURES) = (uint32_t)(VIRTIO_F_VERSION_1 >> 32);
    *vdev_reg(dev, R_STATUS) = known | VIRTIO_STATUS_FEATURES_OK;
    return (*vdev_reg(dev, R_STATUS) & VIRTIO_STATUS_FEATURES_OK) != 0;
}

static void set_address(const struct vdev *dev, uint64_t offset, const volatile void *at)
{
    *vdev_reg(dev, offset) = (uint32_t)(uintptr_t)at;
    *vdev_reg(dev, offset + 4) = (uint32_t)((uintptr_t)at >> 32);
}

void vdev_set_queue(const struct vdev *dev, uint32_t queue, const struct vdev_ring *ring)
{
    *vdev_reg(dev, R_QUEUE_SEL) = queue;
    *vdev_reg(dev, R_QUEUE_NUM) = VDEV_QUEUE;
    if (is_old(dev)) { /* by the number of its first page */
        *vdev_reg(dev, R_QUEUE_ALIGN) = VDEV_ALIGN;
        *vdev_reg(dev, R_QUEUE_PAGE) = (uint32_t)((hpa_t)ring / PAGE_4K);
        return;
    }
    set_address(dev, R_DESCRIPTORS, ring->descriptors);
    set_address(dev, R_DRIVER, &ring->available_flags);
    set_address(dev, R_DEVICE_RING, &ring->used_header);
    *vdev_reg(dev, R_QUEUE_READY) = 1;
}

void vdev_go(const struct vdev *dev)
{
    *vdev_reg(dev, R_STATUS) = *vdev_reg(dev, R_STATUS) | VIRTIO_STATUS_DRIVER_OK;
}

void vdev_offer(struct vdev_ring *ring, uint16_t head)
{
    ring->available[ring->available_index % VDEV_QUEUE] = head;
    __atomic_thread_fence(__ATOMIC_RELEASE); /* write the chain before its index */
    *(volatile uint16_t *)&ring->available_index = (uint16_t)(ring->available_index + 1);
}

void vdev_notify(const struct vdev *dev, uint32_t queue)
{
    hyp_fence_device(); /* write the index before the notification */
    *vdev_reg(dev, R_NOTIFY) = queue;
}

uint16_t vdev_used(const struct vdev_ring *ring)
{
    uint16_t index = (uint16_t)(*(const volatile uint32_t *)&ring->used_header >> 16);

    __atomic_thread_fence(__ATOMIC_ACQUIRE); /* read the entry after its index */
    return index;
}

void vdev_acknowledge(const struct vdev *dev)
{
    *vdev_reg(dev, R_INTERRUPT_ACK) = *vdev_reg(dev, R_INTERRUPT);
}
