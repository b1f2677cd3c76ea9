/* virtio block device; see blk.h. A request is a header of 16 bytes, data, and a status byte. */
#include "dev/virtio/blk.h"

#include "common/string.h"
#include "host/disk.h"
#include "mem/page.h"

enum { SECTOR_SIZE = VIRTIO_BLK_SECTOR, STEP_BYTES = 8192, FILL_STEP = 16384 };
enum { SEGMENTS = SLOT_QUEUE - 2 }; /* of a request, beside header and status */

bool blk_open_image(struct blk *b, const void *bytes, size_t size)
{
    unsigned order = 0;

    while ((PAGE_4K << order) < size && order < PAGE_ORDERS - 1)
        order++;
    if ((PAGE_4K << order) < size)
        return false;
    *b = (struct blk){.config.seg_max = SEGMENTS,
                      .config.capacity = ALIGN_UP(size, SECTOR_SIZE) / SECTOR_SIZE,
                      .order = order,
                      .disk = -1,
                      .from = bytes,
                      .from_size = size};
    b->image = page_alloc_raw(NULL, order);
    return b->image != NULL;
}

bool blk_fill(struct blk *b)
{
    uint64_t left = blk_image_size(b) - b->filled, n = min64(left, FILL_STEP);
    uint64_t copied = b->filled < b->from_size ? min64(b->from_size - b->filled, n) : 0;

    if (left == 0 || b->image == NULL)
        return true;
    memcpy(b->image + b->filled, b->from + b->filled, copied);
    memset(b->image + b->filled + copied, 0, n - copied);
    b->filled += n;
    return false;
}

bool blk_open_host(struct blk *b, unsigned number)
{
    void *pages = page_alloc(NULL, DISK_ORDER);

    if (pages == NULL)
        return false;
    b->disk = disk_open(number, pages);
    if (b->disk < 0) {
        page_free(NULL, pages, DISK_ORDER); /* no device knows them */
        return false;
    }
    b->config = (struct virtio_blk_config){.capacity = disk_capacity(b->disk), .seg_max = SEGMENTS};
    return true;
}

void blk_close(struct blk *b)
{
    page_free(NULL, b->image, b->order);
    if (b->disk >= 0)
        page_free(NULL, disk_close(b->disk), DISK_ORDER);
}

static void reset(struct slot *s)
{
    struct blk *b = s->virtio.device;

    b->arrived = false;
    b->phase = BLK_IDLE; /* the machine's disk may still be busy, in its own pages */
}

static enum slot_step answer(struct blk *b, uint8_t status)
{
    b->status = status;
    b->phase = BLK_ANSWER;
    return STEP_MORE;
}

/* Copies sectors between the guest and memory of the hypervisor. */
static int copy(struct slot *s, struct blk *b, uint8_t *bytes, uint64_t n)
{
    return b->header.type == VIRTIO_BLK_IN
               ? virtio_write(&s->virtio, &s->request, b->done, bytes, n)
               : virtio_read(&s->virtio, &s->request, sizeof b->header + b->done, bytes, n);
}

static enum slot_step copied(struct blk *b, int result, uint64_t n)
{
    if (result == VIRTIO_LATER)
        return STEP_MEMORY;
    if (result != VIRTIO_OK)
        return answer(b, VIRTIO_BLK_IOERR);
    b->done += n;
    b->phase = BLK_MOVE;
    b->arrived = false;
    return STEP_MORE;
}

/* Moves the next piece: a RAM disk does it at once, the machine's disk begins a request. */
static enum slot_step move(struct slot *s, struct blk *b)
{
    uint64_t sector = b->header.sector + b->done / SECTOR_SIZE;
    uint64_t left = b->size - b->done, n = min64(left, STEP_BYTES);
    bool write = b->header.type == VIRTIO_BLK_OUT;
    int result;

    if (left == 0)
        return answer(b, VIRTIO_BLK_OK);
    if (b->image != NULL)
        return copied(b, copy(s, b, b->image + sector * SECTOR_SIZE, n), n);
    if (!disk_is_idle(b->disk)) /* still busy with a request from before the guest's reboot */
        return STEP_WAIT;
    b->moving = min64(left, DISK_SECTORS * SECTOR_SIZE);
    result = write ? copy(s, b, disk_data(b->disk), b->moving) : VIRTIO_OK;
    if (result != VIRTIO_OK ||
        disk_begin(b->disk, write, sector, (unsigned)(b->moving / SECTOR_SIZE)) != DISK_OK)
        return answer(b, VIRTIO_BLK_IOERR);
    b->phase = BLK_HOST;
    return STEP_WAIT;
}

static enum slot_step await(struct slot *s, struct blk *b)
{
    int state = b->arrived ? DISK_OK : disk_state(b->disk);

    if (state == DISK_BUSY)
        return STEP_WAIT;
    if (state != DISK_OK)
        return answer(b, VIRTIO_BLK_IOERR);
    b->arrived = true; /* the guest's page may have to be mapped first */
    if (b->header.type == VIRTIO_BLK_IN) {
        int result = copy(s, b, disk_data(b->disk), b->moving);

        if (result == VIRTIO_LATER)
            return STEP_MEMORY;
        if (result != VIRTIO_OK)
            return answer(b, VIRTIO_BLK_IOERR);
    }
    return copied(b, VIRTIO_OK, b->moving);
}

static enum slot_step identify(struct slot *s, struct blk *b)
{
    char id[VIRTIO_BLK_ID_SIZE] = "mini-kvm";
    int result =
        virtio_write(&s->virtio, &s->request, 0, id, min64(sizeof id, s->request.writable - 1));

    if (result == VIRTIO_LATER)
        return STEP_MEMORY;
    return answer(b, result == VIRTIO_OK ? VIRTIO_BLK_OK : VIRTIO_BLK_IOERR);
}

/* Reads a new request. Its size is that of the data between header and status byte. */
static enum slot_step begin(struct slot *s, struct blk *b)
{
    const struct virtio_chain *c = &s->request;
    uint32_t type;

    if (!slot_take(s, 0))
        return slot_listen(s, 0);
    if (c->writable < 1 ||
        virtio_read(&s->virtio, c, 0, &b->header, sizeof b->header) != VIRTIO_OK) {
        virtio_broken(&s->virtio, "a request without a header or a status byte");
        return STEP_IDLE;
    }
    type = b->header.type;
    b->done = 0;
    b->phase = BLK_MOVE;
    b->size = type == VIRTIO_BLK_IN    ? c->writable - 1
              : type == VIRTIO_BLK_OUT ? c->readable - sizeof b->header
                                       : 0;
    if (type == VIRTIO_BLK_FLUSH) /* each write is on the medium before its answer */
        return answer(b, VIRTIO_BLK_OK);
    if (type == VIRTIO_BLK_GET_ID)
        return STEP_MORE;
    if (type != VIRTIO_BLK_IN && type != VIRTIO_BLK_OUT)
        return answer(b, VIRTIO_BLK_UNSUPP);
    if (b->size % SECTOR_SIZE != 0 || b->header.sector > b->config.capacity ||
        b->size / SECTOR_SIZE > b->config.capacity - b->header.sector)
        return answer(b, VIRTIO_BLK_IOERR);
    return STEP_MORE;
}

static enum slot_step finish(struct slot *s, struct blk *b)
{
    uint64_t in = s->request.writable - 1;
    bool with_data = b->status == VIRTIO_BLK_OK && b->header.type == VIRTIO_BLK_IN;
    int result = virtio_write(&s->virtio, &s->request, in, &b->status, 1);

    if (result == VIRTIO_OK)
        result = slot_push(s, &s->request, (uint32_t)(with_data ? in + 1 : 1));
    if (result == VIRTIO_LATER)
        return STEP_MEMORY;
    if (result == VIRTIO_BAD) {
        virtio_broken(&s->virtio, "a status outside its memory");
        return STEP_IDLE;
    }
    b->phase = BLK_IDLE;
    return STEP_MORE;
}

static enum slot_step step(struct slot *s)
{
    struct blk *b = s->virtio.device;

    switch (b->phase) {
    case BLK_IDLE:
        return begin(s, b);
    case BLK_MOVE:
        return b->header.type == VIRTIO_BLK_GET_ID ? identify(s, b) : move(s, b);
    case BLK_HOST:
        return await(s, b);
    default:
        return finish(s, b);
    }
}

const struct slot_kind blk_kind = {
    .virtio = {.name = "virtio-blk", .id = VIRTIO_ID_BLOCK, .queues = 1, SLOT_OPS},
    .features = VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_FLUSH,
    .step = step,
    .reset = reset,
};
