/* virtio block device; see blk.h. A request is a header of 16 bytes, data, and a status byte. */
#include "dev/virtio/blk.h"

#include "common/string.h"
#include "mem/page.h"
#include "vm/vm.h"

enum { TYPE_IN = 0, TYPE_OUT = 1, TYPE_FLUSH = 4, TYPE_ID = 8, ID_SIZE = 20 };
enum { STATUS_OK = 0, STATUS_ERROR = 1, STATUS_UNSUPPORTED = 2 };
enum { CHUNK_SECTORS = 8 };
#define FEATURE_FLUSH (1ul << 9)

struct header {
    uint32_t type, reserved;
    uint64_t sector;
};

static bool ram_read(struct disk *d, uint64_t sector, void *to, uint64_t count)
{
    memcpy(to, d->image + sector * SECTOR_SIZE, count * SECTOR_SIZE);
    return true;
}

static bool ram_write(struct disk *d, uint64_t sector, const void *from, uint64_t count)
{
    memcpy(d->image + sector * SECTOR_SIZE, from, count * SECTOR_SIZE);
    return true;
}

bool disk_open_image(struct disk *d, const void *bytes, size_t size)
{
    unsigned order = 0;

    while ((PAGE_4K << order) < size && order < PAGE_ORDERS - 1)
        order++;
    *d = (struct disk){.name = "RAM",
                       .read = ram_read,
                       .write = ram_write,
                       .order = order,
                       .sectors = ALIGN_UP(size, SECTOR_SIZE) / SECTOR_SIZE};
    if ((PAGE_4K << order) < size || !page_reserve(1ul << order))
        return false;
    d->image = page_alloc(order);
    page_unreserve(1ul << order);
    if (d->image == NULL)
        return false;
    memcpy(d->image, bytes, size);
    return true;
}

void disk_close(struct disk *d)
{
    page_free(d->image, d->order);
    *d = (struct disk){0};
}

/* Moves the data part, sector by sector; `at` counts bytes within the readable or writable part. */
static uint8_t transfer(struct virtio *dev, const struct virtio_chain *c, uint64_t sector,
                        uint64_t size, bool to_guest)
{
    struct disk *d = dev->state;
    uint8_t data[CHUNK_SECTORS * SECTOR_SIZE];

    if (size % SECTOR_SIZE != 0 || sector > d->sectors || size / SECTOR_SIZE > d->sectors - sector)
        return STATUS_ERROR;
    for (uint64_t done = 0; done < size;) {
        uint64_t n = min64(size - done, sizeof data);
        uint64_t at = sector + done / SECTOR_SIZE;
        bool good =
            to_guest ? d->read(d, at, data, n / SECTOR_SIZE) && virtio_write(dev, c, done, data, n)
                     : virtio_read(dev, c, sizeof(struct header) + done, data, n) &&
                           d->write(d, at, data, n / SECTOR_SIZE);

        if (!good)
            return STATUS_ERROR;
        done += n;
    }
    return STATUS_OK;
}

static uint8_t identify(struct virtio *dev, const struct virtio_chain *c)
{
    char id[ID_SIZE] = "mini-kvm";

    return virtio_write(dev, c, 0, id, min64(sizeof id, c->writable - 1)) ? STATUS_OK
                                                                          : STATUS_ERROR;
}

static void serve(struct virtio *dev, const struct virtio_chain *c)
{
    struct header h;
    uint8_t status = STATUS_UNSUPPORTED;
    uint64_t in = c->writable - 1; /* behind it is the status byte */

    if (c->writable < 1 || !virtio_read(dev, c, 0, &h, sizeof h)) {
        virtio_broken(dev);
        return;
    }
    if (h.type == TYPE_IN)
        status = transfer(dev, c, h.sector, in, true);
    else if (h.type == TYPE_OUT)
        status = transfer(dev, c, h.sector, c->readable - sizeof h, false);
    else if (h.type == TYPE_FLUSH)
        status = STATUS_OK;
    else if (h.type == TYPE_ID)
        status = identify(dev, c);
    if (!virtio_write(dev, c, in, &status, 1)) {
        virtio_broken(dev);
        return;
    }
    virtio_push(dev, 0, c, (uint32_t)(status == STATUS_OK && h.type == TYPE_IN ? in + 1 : 1));
}

static void notify(struct virtio *dev, unsigned queue)
{
    struct virtio_chain *c = &dev->vm->chain;
    int served = 0;

    (void)queue;
    for (; served < VIRTIO_QUEUE_MAX && virtio_pop(dev, 0, c); served++)
        serve(dev, c);
    if (served > 0)
        virtio_interrupt(dev);
}

/* The configuration space: the capacity in sectors, then zeros. */
static uint64_t config(struct virtio *dev, uint64_t offset, unsigned width)
{
    const struct disk *d = dev->state;

    return offset + width <= 8 ? d->sectors >> offset * 8 : 0;
}

const struct virtio_ops virtio_blk_ops = {
    .name = "virtio-blk",
    .id = VIRTIO_BLK,
    .queues = 1,
    .features = FEATURE_FLUSH,
    .notify = notify,
    .config = config,
};
