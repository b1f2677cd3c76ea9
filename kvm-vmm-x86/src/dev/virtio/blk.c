/* The virtio block device; see blk.h. */
#include "dev/virtio/blk.h"

#include <stdlib.h>
#include <string.h>

/* The most that one request may discard or fill with zeroes. */
enum { RANGE_SECTORS_MAX = 1 << 20 };

/* Requests started before the lock is released for others. */
enum { BATCH = 64 };

/* Each part of a chain may lie in two pieces of memory. */
enum { PIECES = BLK_QUEUE_SIZE + 16 };

_Static_assert(BLK_QUEUE_SIZE <= (int)DISK_REQUESTS_MAX, "a disk has room for all requests");

struct blk_request {
    struct blk *blk;
    struct blk_request *next;
    struct virtio_chain chain;
    uint32_t written; /* bytes for the driver, without the status */
    struct disk_request disk;
    struct virtio_part parts[BLK_QUEUE_SIZE];
    struct virtio_piece pieces[PIECES];
};

static struct blk *blk_of(struct virtio_device *device)
{
    return (struct blk *)device;
}

/* Completes a request. If the driver changed the request's memory meanwhile, that is its own fault.
 */
static void finish(struct blk_request *r, enum virtio_blk_status status)
{
    struct virtio *v = &r->blk->device.virtio;
    uint8_t byte = (uint8_t)status;

    if (!v->resetting && virtio_write(v, &r->chain, r->chain.writable - 1, &byte, 1) != VIRTIO_OK)
        virtio_broken(v, "a request whose status cannot be written");
    /* Not VIRTIO_LATER: all guest RAM is mapped already. */
    if (virtio_push(v, &r->chain, status == VIRTIO_BLK_OK ? r->written + 1 : 1) != VIRTIO_OK)
        virtio_broken(v, "a used ring that cannot be written");
    r->next = r->blk->idle;
    r->blk->idle = r;
}

static void on_done(struct disk_request *disk, int code)
{
    struct blk_request *r =
        (struct blk_request *)((char *)disk - offsetof(struct blk_request, disk));

    finish(r, code == 0 ? VIRTIO_BLK_OK : VIRTIO_BLK_IOERR);
}

static void submit(struct blk_request *r, enum disk_order order, uint64_t sector, uint64_t size)
{
    struct disk *disk = r->blk->disk;

    r->disk = (struct disk_request){.order = order,
                                    .offset = sector * VIRTIO_BLK_SECTOR,
                                    .size = size,
                                    .pieces = r->pieces,
                                    .count = r->disk.count,
                                    .done = on_done};
    disk->ops->submit(disk, &r->disk);
}

static bool is_on_disk(const struct blk *blk, uint64_t sector, uint64_t sectors)
{
    return sector <= blk->config.capacity && sectors <= blk->config.capacity - sector;
}

static void move(struct blk_request *r, const struct virtio_blk_header *header, bool write)
{
    uint64_t size = write ? r->chain.readable - sizeof *header : r->chain.writable - 1;
    uint64_t found = size;

    if (size == 0 || size % VIRTIO_BLK_SECTOR != 0 || (write && r->blk->disk->read_only) ||
        !is_on_disk(r->blk, header->sector, size / VIRTIO_BLK_SECTOR) ||
        virtio_pieces(&r->blk->device.virtio, &r->chain, !write, write ? sizeof *header : 0, &found,
                      r->pieces, PIECES, &r->disk.count) != VIRTIO_OK ||
        found != size) {
        finish(r, VIRTIO_BLK_IOERR);
        return;
    }
    r->written = write ? 0 : (uint32_t)size;
    submit(r, write ? DISK_WRITE : DISK_READ, header->sector, size);
}

/* 5.2.6.2: exactly one range, as the configuration says; a discard must have no flags. */
static void range(struct blk_request *r, bool discard)
{
    struct virtio_blk_range range = {0};
    bool good = r->chain.readable == sizeof(struct virtio_blk_header) + sizeof range &&
                virtio_read(&r->blk->device.virtio, &r->chain, sizeof(struct virtio_blk_header),
                            &range, sizeof range) == VIRTIO_OK;

    if (good && (range.flags & ~(uint32_t)VIRTIO_BLK_UNMAP || (discard && range.flags != 0))) {
        finish(r, VIRTIO_BLK_UNSUPP);
        return;
    }
    if (!good || r->blk->disk->read_only || range.sectors == 0 ||
        range.sectors > RANGE_SECTORS_MAX || !is_on_disk(r->blk, range.sector, range.sectors)) {
        finish(r, VIRTIO_BLK_IOERR);
        return;
    }
    submit(r,
           discard                          ? DISK_DISCARD
           : range.flags & VIRTIO_BLK_UNMAP ? DISK_UNMAP
                                            : DISK_ZERO,
           range.sector, (uint64_t)range.sectors * VIRTIO_BLK_SECTOR);
}

static void answer_id(struct blk_request *r)
{
    char id[VIRTIO_BLK_ID_SIZE] = {0};

    memcpy(id, r->blk->disk->id, strnlen(r->blk->disk->id, sizeof id));
    r->written = sizeof id;
    if (r->chain.writable - 1 < sizeof id ||
        virtio_write(&r->blk->device.virtio, &r->chain, 0, id, sizeof id) != VIRTIO_OK)
        finish(r, VIRTIO_BLK_IOERR);
    else
        finish(r, VIRTIO_BLK_OK);
}

static void begin(struct blk_request *r)
{
    struct virtio *v = &r->blk->device.virtio;
    struct virtio_blk_header header;

    r->written = 0;
    if (r->chain.writable == 0 ||
        virtio_read(v, &r->chain, 0, &header, sizeof header) != VIRTIO_OK) {
        virtio_broken(v, "a request without a header or a status");
        virtio_unpop(v, &r->chain);
        r->next = r->blk->idle;
        r->blk->idle = r;
        return;
    }
    switch (header.type) {
    case VIRTIO_BLK_IN:
    case VIRTIO_BLK_OUT:
        move(r, &header, header.type == VIRTIO_BLK_OUT);
        break;
    case VIRTIO_BLK_FLUSH:
        submit(r, DISK_FLUSH, 0, 0);
        break;
    case VIRTIO_BLK_GET_ID:
        answer_id(r);
        break;
    case VIRTIO_BLK_DISCARD:
    case VIRTIO_BLK_WRITE_ZEROES:
        range(r, header.type == VIRTIO_BLK_DISCARD);
        break;
    default:
        finish(r, VIRTIO_BLK_UNSUPP);
        break;
    }
}

/* True: a full batch was taken, so there may be more. */
static bool take_requests(struct blk *blk)
{
    struct blk_request *r;

    for (unsigned i = 0; i < BATCH; i++) {
        r = blk->idle;
        if (r == NULL)
            return false; /* the next request that completes calls this again */
        r->chain = (struct virtio_chain){.part = r->parts, .room = BLK_QUEUE_SIZE};
        if (!virtio_pop(&blk->device.virtio, 0, &r->chain))
            return virtio_listen(&blk->device.virtio, 0) == VIRTIO_MORE;
        blk->idle = r->next;
        begin(r);
    }
    return true;
}

static void tell_of_trouble(struct blk *blk)
{
    const struct backend *b = blk->device.backend;

    if (blk->told || blk->disk->trouble[0] == '\0')
        return;
    blk->told = true;
    b->say(b->context, blk->disk->trouble);
}

static bool blk_run(struct virtio_device *device)
{
    struct blk *blk = blk_of(device);
    bool more = false, starved;

    blk->disk->ops->collect(blk->disk);
    if (virtio_device_is_open(device)) {
        virtio_stop_listening(&device->virtio, 0);
        more = take_requests(blk);
    }
    blk->disk->ops->flush(blk->disk);
    starved = blk->idle == NULL;
    blk->disk->ops->collect(blk->disk); /* data in the page cache is ready at once */
    tell_of_trouble(blk);
    return more || (starved && blk->idle != NULL);
}

static void blk_close(struct virtio_device *device)
{
    free(blk_of(device)->requests);
    blk_of(device)->requests = NULL;
}

static const struct virtio_kind kind = {
    .virtio = {.name = "blk", .id = VIRTIO_ID_BLOCK, .queues = 1},
    .run = blk_run,
    .close = blk_close,
};

int blk_init(struct blk *blk, const struct backend *backend, unsigned index, struct disk *disk,
             struct error *error)
{
    uint64_t features = VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_BLK_SIZE | VIRTIO_BLK_F_FLUSH;

    features |=
        disk->read_only ? VIRTIO_BLK_F_RO : VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES;
    *blk = (struct blk){.disk = disk,
                        .config = {.capacity = disk->size / VIRTIO_BLK_SECTOR,
                                   .seg_max = BLK_SEGMENTS,
                                   .blk_size = disk->block_size,
                                   .max_discard_sectors = RANGE_SECTORS_MAX,
                                   .max_discard_seg = 1,
                                   .discard_sector_alignment = disk->block_size / DISK_SECTOR,
                                   .max_write_zeroes_sectors = RANGE_SECTORS_MAX,
                                   .max_write_zeroes_seg = 1,
                                   .write_zeroes_may_unmap = 1}};
    blk->requests = calloc(BLK_QUEUE_SIZE, sizeof *blk->requests);
    if (blk->requests == NULL)
        return error_set(error, "out of memory for the requests of a disk");
    for (unsigned i = 0; i < BLK_QUEUE_SIZE; i++) {
        blk->requests[i].blk = blk;
        blk->requests[i].next = blk->idle;
        blk->idle = &blk->requests[i];
    }
    virtio_device_init(&blk->device, &kind, backend, index, features, BLK_QUEUE_SIZE, &blk->config,
                       sizeof blk->config);
    blk->device.fd = disk->fd;
    return 0;
}
