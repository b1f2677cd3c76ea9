/* virtio's registers over MMIO (virtio 1.2, 4.2.2), and the life of a device (3.1); see virtio.h.
 */
#include "common/device/virtio/virtio.h"

#include "common/string.h"

enum { VENDOR = 0x6d766b6d }; /* "mkvm" */

static uint64_t offered(const struct virtio *dev)
{
    return dev->features | VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX;
}

bool virtio_is_running(const struct virtio *dev)
{
    return (dev->state.status & (VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_NEEDS_RESET)) ==
           VIRTIO_STATUS_DRIVER_OK;
}

bool virtio_has(const struct virtio *dev, uint64_t feature)
{
    return (dev->state.driver_features & feature) != 0;
}

uint32_t virtio_in_flight(const struct virtio *dev)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < dev->ops->queues; i++)
        sum += dev->in_flight[i];
    return sum;
}

static void interrupt_config(struct virtio *dev)
{
    if (!(dev->state.status & VIRTIO_STATUS_DRIVER_OK))
        return;
    dev->state.interrupt |= VIRTIO_INTERRUPT_CONFIG;
    dev->world->interrupt(dev->context, VIRTIO_CONFIG_SOURCE, true);
}

void virtio_config_changed(struct virtio *dev)
{
    dev->state.generation++;
    interrupt_config(dev);
}

void virtio_broken(struct virtio *dev, const char *what)
{
    if (dev->state.status & VIRTIO_STATUS_NEEDS_RESET)
        return;
    dev->state.status |= VIRTIO_STATUS_NEEDS_RESET;
    dev->world->broken(dev->context, what);
    interrupt_config(dev);
}

static void clear(struct virtio *dev)
{
    uint32_t generation = dev->state.generation;

    dev->state = (struct virtio_state){.generation = generation};
    dev->resetting = false;
    dev->world->interrupt(dev->context, VIRTIO_CONFIG_SOURCE, false);
}

void virtio_reset(struct virtio *dev)
{
    if (dev->ops->reset != NULL)
        dev->ops->reset(dev);
    memset(dev->in_flight, 0, sizeof dev->in_flight);
    clear(dev);
}

/* A reset by the driver. False while requests are in flight: try again. ops->reset() is called
 * once, so that the device returns them soon. */
static bool reset_softly(struct virtio *dev)
{
    if (!dev->resetting) {
        dev->resetting = true;
        dev->state.status &= ~(uint32_t)VIRTIO_STATUS_DRIVER_OK; /* takes no more requests */
        if (dev->ops->reset != NULL)
            dev->ops->reset(dev);
    }
    if (virtio_in_flight(dev) > 0)
        return false;
    clear(dev);
    return true;
}

static const struct virtio_queue_state *selected(const struct virtio *dev)
{
    return dev->state.queue_select < dev->ops->queues ? &dev->state.queue[dev->state.queue_select]
                                                      : NULL;
}

static uint64_t read_config(const struct virtio *dev, uint64_t offset, unsigned width)
{
    uint64_t value = 0;

    if (offset < dev->config_size && width <= dev->config_size - offset)
        memcpy(&value, dev->config + offset, width);
    return value;
}

uint64_t virtio_mmio_read(struct virtio *dev, uint64_t offset, unsigned width)
{
    const struct virtio_queue_state *q = selected(dev);

    if (offset >= VIRTIO_MMIO_CONFIG)
        return read_config(dev, offset - VIRTIO_MMIO_CONFIG, width);
    if (width != 4)
        return 0;
    switch (offset) {
    case VIRTIO_MMIO_MAGIC:
        return VIRTIO_MMIO_MAGIC_VALUE;
    case VIRTIO_MMIO_VERSION:
        return 2;
    case VIRTIO_MMIO_DEVICE_ID:
        return dev->ops->id;
    case VIRTIO_MMIO_VENDOR_ID:
        return VENDOR;
    case VIRTIO_MMIO_DEVICE_FEATURES:
        return dev->state.feature_select > 1
                   ? 0
                   : (uint32_t)(offered(dev) >> 32 * dev->state.feature_select);
    case VIRTIO_MMIO_QUEUE_NUM_MAX:
        return q != NULL ? dev->queue_size_max : 0;
    case VIRTIO_MMIO_QUEUE_READY:
        return q != NULL && q->ready;
    case VIRTIO_MMIO_INTERRUPT_STATUS:
        return dev->state.interrupt;
    case VIRTIO_MMIO_STATUS:
        return dev->state.status;
    case VIRTIO_MMIO_SHM_LENGTH: /* 4.2.2: there is no shared memory */
    case VIRTIO_MMIO_SHM_LENGTH + 4:
    case VIRTIO_MMIO_SHM_BASE:
    case VIRTIO_MMIO_SHM_BASE + 4:
        return UINT32_MAX;
    case VIRTIO_MMIO_CONFIG_GENERATION:
        return dev->state.generation;
    default:
        return 0;
    }
}

/* A bit once set stays (2.1.1). FEATURES_OK needs version 1 and nothing that was not offered;
 * DRIVER_OK needs FEATURES_OK. */
static bool write_status(struct virtio *dev, uint32_t value)
{
    uint64_t accepted = dev->state.driver_features;
    bool was_running = virtio_is_running(dev);

    if (value == 0)
        return reset_softly(dev);
    value &= 0xff & ~(uint32_t)VIRTIO_STATUS_NEEDS_RESET;
    if (!(accepted & VIRTIO_F_VERSION_1) || (accepted & ~offered(dev)))
        value &= ~(uint32_t)VIRTIO_STATUS_FEATURES_OK;
    value |= dev->state.status;
    if (!(value & VIRTIO_STATUS_FEATURES_OK))
        value &= ~(uint32_t)VIRTIO_STATUS_DRIVER_OK;
    dev->state.status = value;
    if (!was_running && virtio_is_running(dev) && dev->ops->started != NULL)
        dev->ops->started(dev);
    return true;
}

static void set_half(uint64_t *number, bool high, uint64_t value)
{
    unsigned shift = high ? 32 : 0;

    *number = (*number & ~(UINT64_C(0xffffffff) << shift)) | (value & 0xffffffff) << shift;
}

/* Checks place and length of the queue's three parts (2.7). */
static bool is_possible(const struct virtio *dev, const struct virtio_queue_state *q)
{
    const struct virtio_world *w = dev->world;
    void *context = dev->context;

    return q->size > 0 && q->descriptors % 16 == 0 && q->driver % 2 == 0 && q->device % 4 == 0 &&
           w->contains(context, q->descriptors, sizeof(struct virtio_descriptor) * q->size) &&
           w->contains(context, q->driver, VIRTIO_RING_ENTRIES + 2ul * q->size + 2) &&
           w->contains(context, q->device,
                       VIRTIO_RING_ENTRIES + sizeof(struct virtio_used) * q->size + 2);
}

/* False if the queue still has requests in flight: they must come back first. */
static bool set_ready(struct virtio *dev, struct virtio_queue_state *q, bool ready)
{
    if (ready && q->ready)
        return true;
    q->ready = false;
    if (dev->in_flight[q - dev->state.queue] > 0)
        return false;
    if (!ready) {
        *q = (struct virtio_queue_state){0};
        return true;
    }
    q->ready = is_possible(dev, q);
    if (!q->ready)
        virtio_broken(dev, "a queue that is misaligned or outside its memory");
    return true;
}

/* The registers of the selected queue. They cannot be changed while the queue is ready. */
static bool write_queue(struct virtio *dev, uint64_t offset, uint64_t value)
{
    struct virtio_queue_state *q = (struct virtio_queue_state *)selected(dev);

    if (q != NULL && offset == VIRTIO_MMIO_QUEUE_READY)
        return set_ready(dev, q, (value & 1) != 0);
    if (q == NULL || q->ready)
        return true;
    switch (offset) {
    case VIRTIO_MMIO_QUEUE_NUM:
        if (value <= dev->queue_size_max && (value & (value - 1)) == 0)
            q->size = (uint32_t)value;
        break;
    case VIRTIO_MMIO_QUEUE_DESC:
    case VIRTIO_MMIO_QUEUE_DESC + 4:
        set_half(&q->descriptors, offset != VIRTIO_MMIO_QUEUE_DESC, value);
        break;
    case VIRTIO_MMIO_QUEUE_DRIVER:
    case VIRTIO_MMIO_QUEUE_DRIVER + 4:
        set_half(&q->driver, offset != VIRTIO_MMIO_QUEUE_DRIVER, value);
        break;
    case VIRTIO_MMIO_QUEUE_DEVICE:
    case VIRTIO_MMIO_QUEUE_DEVICE + 4:
        set_half(&q->device, offset != VIRTIO_MMIO_QUEUE_DEVICE, value);
        break;
    default:
        break;
    }
    return true;
}

static void write_driver_features(struct virtio *dev, uint64_t value)
{
    if (dev->state.driver_feature_select <= 1 && !(dev->state.status & VIRTIO_STATUS_FEATURES_OK))
        set_half(&dev->state.driver_features, dev->state.driver_feature_select == 1, value);
}

static void write_config(struct virtio *dev, uint64_t offset, unsigned width, uint64_t value)
{
    if (dev->ops->configure != NULL && offset < dev->config_size &&
        width <= dev->config_size - offset)
        dev->ops->configure(dev, (uint32_t)offset, value, width);
}

bool virtio_mmio_write(struct virtio *dev, uint64_t offset, unsigned width, uint64_t value)
{
    if (offset >= VIRTIO_MMIO_CONFIG && !dev->resetting) {
        write_config(dev, offset - VIRTIO_MMIO_CONFIG, width, value);
        return true;
    }
    if (width != 4 || (dev->resetting && (offset != VIRTIO_MMIO_STATUS || value != 0)))
        return true;
    switch (offset) {
    case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
        dev->state.feature_select = (uint32_t)value;
        return true;
    case VIRTIO_MMIO_DRIVER_FEATURES:
        write_driver_features(dev, value);
        return true;
    case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
        dev->state.driver_feature_select = (uint32_t)value;
        return true;
    case VIRTIO_MMIO_QUEUE_SEL:
        dev->state.queue_select = (uint32_t)value;
        return true;
    case VIRTIO_MMIO_QUEUE_NOTIFY:
        if (value < dev->ops->queues && dev->ops->notified != NULL && virtio_is_running(dev))
            dev->ops->notified(dev, (unsigned)value);
        return true;
    case VIRTIO_MMIO_INTERRUPT_ACK:
        dev->state.interrupt &= ~(uint32_t)value;
        if (dev->state.interrupt == 0)
            dev->world->interrupt(dev->context, VIRTIO_CONFIG_SOURCE, false);
        return true;
    case VIRTIO_MMIO_STATUS:
        return write_status(dev, (uint32_t)value);
    default:
        return write_queue(dev, offset, value);
    }
}

bool virtio_load(struct virtio *dev, const struct virtio_state *s)
{
    for (uint32_t i = 0; i < VIRTIO_QUEUES_MAX; i++) {
        const struct virtio_queue_state *q = &s->queue[i];

        if (q->size > dev->queue_size_max || (q->size & (q->size - 1)) != 0 ||
            (q->ready && (i >= dev->ops->queues || !is_possible(dev, q))))
            return false;
    }
    if ((s->status & VIRTIO_STATUS_FEATURES_OK) &&
        (!(s->driver_features & VIRTIO_F_VERSION_1) || (s->driver_features & ~offered(dev))))
        return false;
    if ((s->status & VIRTIO_STATUS_DRIVER_OK) && !(s->status & VIRTIO_STATUS_FEATURES_OK))
        return false;
    dev->state = *s;
    dev->resetting = false;
    memset(dev->in_flight, 0, sizeof dev->in_flight);
    return true;
}
