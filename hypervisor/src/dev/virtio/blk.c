/* virtio block device; see blk.h. A request is a header of 16 bytes, data, and a status byte. */
#include "dev/virtio/blk.h"

#include "common/string.h"
#include "host/disk.h"
#include "mem/page.h"

enum { TYPE_IN = 0, TYPE_OUT = 1, TYPE_FLUSH = 4, TYPE_ID = 8, ID_SIZE = 20 };
enum { STATUS_OK = 0, STATUS_ERROR = 1, STATUS_UNSUPPORTED = 2 };
enum { SECTOR_SIZE = DISK_SECTOR, STEP_BYTES = 8192 };
#define FEATURE_FLUSH (1ul << 9)
_Static_assert(sizeof(struct blk_header) == 16, "virtio 1.2, 5.2.6");

bool blk_open_image(struct blk *b, const void *bytes, size_t size)
{
    unsigned order = 0;

    while ((PAGE_4K << order) < size && order < PAGE_ORDERS - 1)
        order++;
    if ((PAGE_4K << order) < size)
        return false;
    *b = (struct blk){.sectors = ALIGN_UP(size, SECTOR_SIZE) / SECTOR_SIZE, .order = order};
    b->image = page_alloc(NULL, order);
    if (b->image == NULL)
        return false;
    memcpy(b->image, bytes, size);
    return true;
}

bool blk_open_host(struct blk *b, unsigned number)
{
    void *pages = page_alloc(NULL, DISK_ORDER);

    if (pages == NULL)
        return false;
    b->disk = disk_open(number, pages);
    if (b->disk < 0) {
        page_free(NULL, pages, DISK_ORDER); /* no device has been told of them */
        return false;
    }
    b->sectors = disk_capacity(b->disk);
    return true;
}

static void reset(struct virtio *dev)
{
    struct blk *b = dev->state;

    b->arrived = false;
    b->phase = BLK_IDLE; /* what the machine's disk still does, it does in its own pages */
}

static enum virtio_step answer(struct blk *b, uint8_t status)
{
    b->status = status;
    b->phase = BLK_ANSWER;
    return STEP_MORE;
}

/* One sector or more between guest and memory that the hypervisor owns. */
static int copy(struct virtio *dev, struct blk *b, uint8_t *bytes, uint64_t n)
{
    return b->header.type == TYPE_IN
               ? virtio_write(dev, &b->chain, b->done, bytes, n)
               : virtio_read(dev, &b->chain, sizeof b->header + b->done, bytes, n);
}

static enum virtio_step copied(struct blk *b, int result, uint64_t n)
{
    if (result == VIRTIO_UNBACKED)
        return STEP_MEMORY;
    if (result != VIRTIO_OK)
        return answer(b, STATUS_ERROR);
    b->done += n;
    b->phase = BLK_MOVE;
    b->arrived = false;
    return STEP_MORE;
}

/* The next piece: of a RAM disk it is done at once, the machine's is told to begin. */
static enum virtio_step move(struct virtio *dev, struct blk *b)
{
    uint64_t sector = b->header.sector + b->done / SECTOR_SIZE;
    uint64_t left = b->size - b->done, n = min64(left, STEP_BYTES);
    bool write = b->header.type == TYPE_OUT;
    int result;

    if (left == 0)
        return answer(b, STATUS_OK);
    if (b->image != NULL)
        return copied(b, copy(dev, b, b->image + sector * SECTOR_SIZE, n), n);
    if (!disk_is_idle(b->disk)) /* with a request of a boot that has ended */
        return STEP_WAIT;
    b->moving = min64(left, DISK_SECTORS * SECTOR_SIZE);
    result = write ? copy(dev, b, disk_data(b->disk), b->moving) : VIRTIO_OK;
    if (result != VIRTIO_OK ||
        disk_begin(b->disk, write, sector, (unsigned)(b->moving / SECTOR_SIZE)) != DISK_OK)
        return answer(b, STATUS_ERROR);
    b->phase = BLK_HOST;
    return STEP_WAIT;
}

static enum virtio_step await(struct virtio *dev, struct blk *b)
{
    int state = b->arrived ? DISK_OK : disk_state(b->disk);

    if (state == DISK_BUSY)
        return STEP_WAIT;
    if (state != DISK_OK)
        return answer(b, STATUS_ERROR);
    b->arrived = true; /* memory for it may have to be backed first */
    if (b->header.type == TYPE_IN) {
        int result = copy(dev, b, disk_data(b->disk), b->moving);

        if (result == VIRTIO_UNBACKED)
            return STEP_MEMORY;
        if (result != VIRTIO_OK)
            return answer(b, STATUS_ERROR);
    }
    return copied(b, VIRTIO_OK, b->moving);
}

static enum virtio_step identify(struct virtio *dev, struct blk *b)
{
    char id[ID_SIZE] = "mini-kvm";
    int result = virtio_write(dev, &b->chain, 0, id, min64(sizeof id, b->chain.writable - 1));

    if (result == VIRTIO_UNBACKED)
        return STEP_MEMORY;
    return answer(b, result == VIRTIO_OK ? STATUS_OK : STATUS_ERROR);
}

/* Looks at a new request; its size is what lies between header and status byte. */
static enum virtio_step begin(struct virtio *dev, struct blk *b)
{
    const struct virtio_chain *c = &b->chain;
    uint32_t type;

    if (!virtio_pop(dev, 0, &b->chain))
        return STEP_IDLE;
    if (c->writable < 1 || virtio_read(dev, c, 0, &b->header, sizeof b->header) != VIRTIO_OK) {
        virtio_broken(dev);
        return STEP_IDLE;
    }
    type = b->header.type;
    b->done = 0;
    b->phase = BLK_MOVE;
    b->size = type == TYPE_IN    ? c->writable - 1
              : type == TYPE_OUT ? c->readable - sizeof b->header
                                 : 0;
    if (type == TYPE_FLUSH) /* each write is on the medium when it is answered */
        return answer(b, STATUS_OK);
    if (type == TYPE_ID)
        return STEP_MORE;
    if (type != TYPE_IN && type != TYPE_OUT)
        return answer(b, STATUS_UNSUPPORTED);
    if (b->size % SECTOR_SIZE != 0 || b->header.sector > b->sectors ||
        b->size / SECTOR_SIZE > b->sectors - b->header.sector)
        return answer(b, STATUS_ERROR);
    return STEP_MORE;
}

static enum virtio_step finish(struct virtio *dev, struct blk *b)
{
    uint64_t in = b->chain.writable - 1;
    bool with_data = b->status == STATUS_OK && b->header.type == TYPE_IN;
    int result = virtio_write(dev, &b->chain, in, &b->status, 1);

    if (result == VIRTIO_OK)
        result = virtio_push(dev, 0, &b->chain, (uint32_t)(with_data ? in + 1 : 1));
    if (result == VIRTIO_UNBACKED)
        return STEP_MEMORY;
    b->phase = BLK_IDLE;
    return STEP_MORE;
}

static enum virtio_step step(struct virtio *dev)
{
    struct blk *b = dev->state;

    switch (b->phase) {
    case BLK_IDLE:
        return begin(dev, b);
    case BLK_MOVE:
        return b->header.type == TYPE_ID ? identify(dev, b) : move(dev, b);
    case BLK_HOST:
        return await(dev, b);
    default:
        return finish(dev, b);
    }
}

/* The configuration space: the capacity in sectors, then zeros. */
static uint64_t config(struct virtio *dev, uint64_t offset, unsigned width)
{
    const struct blk *b = dev->state;

    return offset + width <= 8 ? b->sectors >> offset * 8 : 0;
}

const struct virtio_ops virtio_blk_ops = {
    .name = "virtio-blk",
    .id = VIRTIO_BLK,
    .queues = 1,
    .features = FEATURE_FLUSH,
    .step = step,
    .reset = reset,
    .config = config,
};
