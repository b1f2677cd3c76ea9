/* Split virtqueues (virtio 1.2, 2.7); see virtio.h. */
#include "dev/virtio/virtio.h"

enum { FLAG_NEXT = 1, FLAG_WRITE = 2, FLAG_INDIRECT = 4 };

struct descriptor {
    uint64_t at;
    uint32_t size;
    uint16_t flags, next;
};
_Static_assert(sizeof(struct descriptor) == 16, "virtio 1.2, 2.7.5");

struct used_element {
    uint32_t head, written;
};

static bool read_chain(struct virtio *dev, struct virtqueue *q, struct virtio_chain *c)
{
    uint16_t index = c->head;

    c->count = 0;
    c->readable = c->writable = 0;
    for (;;) {
        struct descriptor d;
        bool writable;

        /* As long as the queue at most: longer chains are loops. */
        if (index >= q->size || c->count == q->size ||
            !dev->host->read(dev->vm, q->descriptors + index * sizeof d, &d, sizeof d))
            return false;
        writable = (d.flags & FLAG_WRITE) != 0;
        if ((d.flags & FLAG_INDIRECT) || (!writable && c->writable > 0) ||
            !dev->host->contains(dev->vm, d.at, d.size))
            return false;
        c->part[c->count].at = d.at;
        c->part[c->count].size = d.size;
        c->part[c->count++].writable = writable;
        *(writable ? &c->writable : &c->readable) += d.size;
        if ((d.flags & FLAG_NEXT) == 0)
            return true;
        index = d.next;
    }
}

bool virtio_pop(struct virtio *dev, unsigned queue, struct virtio_chain *c)
{
    struct virtqueue *q = &dev->queue[queue];
    uint16_t index, slot;

    if (!q->ready || (dev->status & 0x40) != 0)
        return false;
    if (!dev->host->read(dev->vm, q->driver + 2, &index, 2)) {
        virtio_broken(dev);
        return false;
    }
    if (index == q->next_available)
        return false;
    __atomic_thread_fence(__ATOMIC_ACQUIRE); /* the entry was written before the index */
    slot = (uint16_t)(q->next_available % q->size);
    if ((uint16_t)(index - q->next_available) > q->size ||
        !dev->host->read(dev->vm, q->driver + 4 + 2ul * slot, &c->head, 2) ||
        !read_chain(dev, q, c)) {
        virtio_broken(dev);
        return false;
    }
    q->next_available++;
    return true;
}

void virtio_unpop(struct virtio *dev, unsigned queue)
{
    dev->queue[queue].next_available--;
}

int virtio_push(struct virtio *dev, unsigned queue, const struct virtio_chain *c, uint32_t written)
{
    struct virtqueue *q = &dev->queue[queue];
    struct used_element e = {c->head, written};
    uint16_t index = (uint16_t)(q->next_used + 1);
    int result;

    if (!q->ready) /* the driver has taken it back */
        return VIRTIO_OK;
    result =
        dev->host->write(dev->vm, q->device + 4 + q->next_used % q->size * sizeof e, &e, sizeof e);
    __atomic_thread_fence(__ATOMIC_RELEASE); /* the element before the index */
    if (result == VIRTIO_OK)
        result = dev->host->write(dev->vm, q->device + 2, &index, 2);
    if (result == VIRTIO_UNBACKED)
        return result;
    if (result == VIRTIO_BAD) {
        virtio_broken(dev);
        return VIRTIO_OK;
    }
    q->next_used = index;
    dev->interrupt |= 1;
    irq_set(&dev->irq, true);
    return VIRTIO_OK;
}

static int copy(struct virtio *dev, const struct virtio_chain *c, uint64_t skip, uint8_t *bytes,
                uint64_t size, bool write)
{
    for (unsigned i = 0; i < c->count && size > 0; i++) {
        uint64_t n;
        int result;

        if (c->part[i].writable != write)
            continue;
        if (skip >= c->part[i].size) {
            skip -= c->part[i].size;
            continue;
        }
        n = min64(c->part[i].size - skip, size);
        if (write)
            result = dev->host->write(dev->vm, c->part[i].at + skip, bytes, n);
        else
            result =
                dev->host->read(dev->vm, c->part[i].at + skip, bytes, n) ? VIRTIO_OK : VIRTIO_BAD;
        if (result != VIRTIO_OK)
            return result;
        skip = 0;
        bytes += n;
        size -= n;
    }
    return size == 0 ? VIRTIO_OK : VIRTIO_BAD;
}

int virtio_read(struct virtio *dev, const struct virtio_chain *c, uint64_t skip, void *to,
                uint64_t size)
{
    return copy(dev, c, skip, to, size, false);
}

int virtio_write(struct virtio *dev, const struct virtio_chain *c, uint64_t skip, const void *from,
                 uint64_t size)
{
    return copy(dev, c, skip, (uint8_t *)(uintptr_t)from, size, true);
}
