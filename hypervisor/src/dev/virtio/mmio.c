/* virtio's registers (virtio 1.2, 4.2.2); see virtio.h. */
#include "dev/virtio/virtio.h"

#include "common/string.h"

enum reg {
    MAGIC = 0x000,
    VERSION = 0x004,
    DEVICE_ID = 0x008,
    VENDOR_ID = 0x00c,
    DEVICE_FEATURES = 0x010,
    DEVICE_FEATURES_SEL = 0x014,
    DRIVER_FEATURES = 0x020,
    DRIVER_FEATURES_SEL = 0x024,
    QUEUE_SEL = 0x030,
    QUEUE_NUM_MAX = 0x034,
    QUEUE_NUM = 0x038,
    QUEUE_READY = 0x044,
    QUEUE_NOTIFY = 0x050,
    INTERRUPT_STATUS = 0x060,
    INTERRUPT_ACK = 0x064,
    STATUS = 0x070,
    QUEUE_DESC = 0x080,
    QUEUE_DRIVER = 0x090,
    QUEUE_DEVICE = 0x0a0,
    CONFIG_GENERATION = 0x0fc,
    CONFIG = 0x100
};
enum { STATUS_FEATURES_OK = 8, STATUS_DRIVER_OK = 4, STATUS_NEEDS_RESET = 0x40 };
#define FEATURE_VERSION_1 (1ul << 32)

void virtio_reset(struct virtio *dev)
{
    dev->status = dev->interrupt = dev->queue_select = 0;
    dev->feature_select = dev->driver_feature_select = 0;
    dev->driver_features = 0;
    dev->kicked = false;
    memset(dev->queue, 0, sizeof dev->queue);
    irq_set(&dev->irq, false);
    if (dev->ops->reset != NULL)
        dev->ops->reset(dev);
}

void virtio_broken(struct virtio *dev)
{
    dev->status |= STATUS_NEEDS_RESET;
    dev->interrupt |= 2; /* configuration change: how the driver hears of it */
    irq_set(&dev->irq, true);
}

/* The queue selected; NULL for one that the device does not have. */
static struct virtqueue *selected(struct virtio *dev)
{
    return dev->queue_select < dev->ops->queues ? &dev->queue[dev->queue_select] : NULL;
}

static uint32_t read_features(const struct virtio *dev)
{
    uint64_t offered = dev->ops->features | FEATURE_VERSION_1;

    return dev->feature_select > 1 ? 0 : (uint32_t)(offered >> 32 * dev->feature_select);
}

static uint64_t mmio_read(void *state, uint64_t offset, unsigned width)
{
    struct virtio *dev = state;
    const struct virtqueue *q = selected(dev);

    if (offset >= CONFIG)
        return dev->ops->config != NULL ? dev->ops->config(dev, offset - CONFIG, width) : 0;
    if (width != 4)
        return 0;
    switch (offset) {
    case MAGIC:
        return 0x74726976; /* "virt" */
    case VERSION:
        return 2;
    case DEVICE_ID:
        return dev->ops->id;
    case VENDOR_ID:
        return 0x6d766b6d; /* "mkvm" */
    case DEVICE_FEATURES:
        return read_features(dev);
    case QUEUE_NUM_MAX:
        return q != NULL ? VIRTIO_QUEUE_MAX : 0;
    case QUEUE_READY:
        return q != NULL && q->ready;
    case INTERRUPT_STATUS:
        return dev->interrupt;
    case STATUS:
        return dev->status;
    default:
        return 0;
    }
}

static void write_status(struct virtio *dev, uint32_t value)
{
    if (value == 0) {
        virtio_reset(dev);
        return;
    }
    /* What the driver accepted must have been offered, and must include version 1. */
    if ((value & STATUS_FEATURES_OK) &&
        (!(dev->driver_features & FEATURE_VERSION_1) ||
         (dev->driver_features & ~(dev->ops->features | FEATURE_VERSION_1))))
        value &= ~(uint32_t)STATUS_FEATURES_OK;
    dev->status = value | (dev->status & STATUS_NEEDS_RESET);
}

static void set_half(gpa_t *address, bool high, uint64_t value)
{
    unsigned shift = high ? 32 : 0;

    *address = (*address & ~(0xfffffffful << shift)) | (value & 0xffffffff) << shift;
}

static void set_ready(struct virtqueue *q, bool ready)
{
    q->ready = ready && q->size > 0;
    if (!ready)
        *q = (struct virtqueue){0};
}

/* The registers of the selected queue: frozen while it is ready. */
static void write_queue(struct virtqueue *q, uint64_t offset, uint64_t value)
{
    if (q == NULL || (q->ready && offset != QUEUE_READY))
        return;
    switch (offset) {
    case QUEUE_NUM:
        if (value > 0 && value <= VIRTIO_QUEUE_MAX && (value & (value - 1)) == 0)
            q->size = (uint32_t)value;
        break;
    case QUEUE_READY:
        set_ready(q, (value & 1) != 0);
        break;
    case QUEUE_DESC:
    case QUEUE_DESC + 4:
        set_half(&q->descriptors, offset != QUEUE_DESC, value);
        break;
    case QUEUE_DRIVER:
    case QUEUE_DRIVER + 4:
        set_half(&q->driver, offset != QUEUE_DRIVER, value);
        break;
    case QUEUE_DEVICE:
    case QUEUE_DEVICE + 4:
        set_half(&q->device, offset != QUEUE_DEVICE, value);
        break;
    default:
        break;
    }
}

static void write_driver_features(struct virtio *dev, uint64_t value)
{
    if (dev->driver_feature_select > 1 || (dev->status & STATUS_FEATURES_OK))
        return;
    set_half(&dev->driver_features, dev->driver_feature_select == 1, value);
}

static void mmio_write(void *state, uint64_t offset, unsigned width, uint64_t value)
{
    struct virtio *dev = state;

    if (width != 4)
        return;
    switch (offset) {
    case DEVICE_FEATURES_SEL:
        dev->feature_select = (uint32_t)value;
        break;
    case DRIVER_FEATURES:
        write_driver_features(dev, value);
        break;
    case DRIVER_FEATURES_SEL:
        dev->driver_feature_select = (uint32_t)value;
        break;
    case QUEUE_SEL:
        dev->queue_select = (uint32_t)value;
        break;
    case QUEUE_NOTIFY:
        if (value < dev->ops->queues && (dev->status & STATUS_DRIVER_OK))
            dev->kicked = true;
        break;
    case INTERRUPT_ACK:
        dev->interrupt &= ~(uint32_t)value;
        irq_set(&dev->irq, dev->interrupt != 0);
        break;
    case STATUS:
        write_status(dev, (uint32_t)value);
        break;
    default:
        write_queue(selected(dev), offset, value);
        break;
    }
}

const struct device_ops virtio_ops = {
    .name = "virtio",
    .read = mmio_read,
    .write = mmio_write,
};
