/* The virtio file system device; see fs.h. */
#include "dev/virtio/fs.h"

#include <stdlib.h>
#include <string.h>

/* Requests started before the lock is released for others. */
enum { BATCH = 16 };

/* Each part of a chain may lie in two pieces of memory. */
enum { PIECES = FS_QUEUE_SIZE + 16 };

struct fs_request {
    struct worker_job work;
    struct fs *fs;
    struct fs_request *next;
    struct virtio_chain chain;
    struct fuse_request fuse;
    struct virtio_part parts[FS_QUEUE_SIZE];
    struct virtio_piece data[PIECES], room[PIECES];
    uint8_t in[FUSE_REQUEST_MAX];
    uint8_t out[FUSE_REPLY_HEADER_SIZE + FUSE_REPLY_MAX];
};

_Static_assert(offsetof(struct fs_request, in) % 8 == 0, "the structures in it are aligned");
_Static_assert(offsetof(struct fs_request, out) % 8 == 0, "the structures in it are aligned");
_Static_assert(sizeof(struct virtio_piece) == sizeof(struct iovec) &&
                   offsetof(struct virtio_piece, size) == offsetof(struct iovec, iov_len),
               "a piece is an iovec");

static struct fs *fs_of(struct virtio_device *device)
{
    return (struct fs *)device;
}

static void carry_out(struct worker_job *work)
{
    struct fs_request *r = (struct fs_request *)work;

    fuse_server_serve(r->fs->server, &r->fuse);
}

/* Completes a request. */
static void finish(struct fs_request *r)
{
    struct virtio *v = &r->fs->device.virtio;
    uint32_t written = (uint32_t)(r->fuse.out_size + r->fuse.moved);

    if (written > r->chain.writable)
        written = 0; /* the driver left no room for the reply */
    if (written > 0 && !v->resetting &&
        virtio_write(v, &r->chain, 0, r->fuse.out, r->fuse.out_size) != VIRTIO_OK)
        virtio_broken(v, "a request whose reply cannot be written");
    /* Not VIRTIO_LATER: all guest RAM is mapped already. */
    if (virtio_push(v, &r->chain, written) != VIRTIO_OK)
        virtio_broken(v, "a used ring that cannot be written");
    r->next = r->fs->idle;
    r->fs->idle = r;
}

/* Finds the memory of a write's data, or for a read's data. False: it is not guest RAM. */
static bool find_pieces(struct fs_request *r)
{
    struct virtio *v = &r->fs->device.virtio;
    uint64_t data = r->chain.readable - r->fuse.in_size;
    uint64_t room =
        r->chain.writable > FUSE_REPLY_HEADER_SIZE ? r->chain.writable - FUSE_REPLY_HEADER_SIZE : 0;

    data = data < FUSE_TRANSFER_MAX ? data : FUSE_TRANSFER_MAX;
    room = room < FUSE_TRANSFER_MAX ? room : FUSE_TRANSFER_MAX;
    if (data > 0 && virtio_pieces(v, &r->chain, false, r->fuse.in_size, &data, r->data, PIECES,
                                  &r->fuse.data_count) != VIRTIO_OK)
        return false;
    if (room > 0 && virtio_pieces(v, &r->chain, true, FUSE_REPLY_HEADER_SIZE, &room, r->room,
                                  PIECES, &r->fuse.room_count) != VIRTIO_OK)
        return false;
    r->fuse.data = (const struct iovec *)r->data;
    r->fuse.data_size = data;
    r->fuse.room = (const struct iovec *)r->room;
    r->fuse.room_size = room;
    return true;
}

static void begin(struct fs_request *r)
{
    struct virtio *v = &r->fs->device.virtio;
    bool good;

    r->fuse = (struct fuse_request){.in = r->in, .out = r->out};
    good = r->chain.readable >= FUSE_HEADER_SIZE &&
           virtio_read(v, &r->chain, 0, r->in, FUSE_HEADER_SIZE) == VIRTIO_OK;
    if (good) {
        r->fuse.in_size = fuse_server_arguments(r->in, r->chain.readable);
        good = r->fuse.in_size <= sizeof r->in &&
               virtio_read(v, &r->chain, FUSE_HEADER_SIZE, r->in + FUSE_HEADER_SIZE,
                           r->fuse.in_size - FUSE_HEADER_SIZE) == VIRTIO_OK &&
               find_pieces(r);
    }
    if (!good) {
        virtio_broken(v, "a request without a header, or one that is too long");
        virtio_unpop(v, &r->chain);
        r->next = r->fs->idle;
        r->fs->idle = r;
        return;
    }
    r->work.carry_out = carry_out;
    workers_submit(r->fs->workers, &r->work);
}

/* True: a full batch was taken, so there may be more. */
static bool take_requests(struct fs *fs, unsigned queue)
{
    struct fs_request *r;

    for (unsigned i = 0; i < BATCH; i++) {
        r = fs->idle;
        if (r == NULL)
            return false; /* the next request that completes calls this again */
        r->chain = (struct virtio_chain){.part = r->parts, .room = FS_QUEUE_SIZE};
        if (!virtio_pop(&fs->device.virtio, queue, &r->chain))
            return virtio_listen(&fs->device.virtio, queue) == VIRTIO_MORE;
        fs->idle = r->next;
        begin(r);
    }
    return true;
}

static bool fs_run(struct virtio_device *device)
{
    struct fs *fs = fs_of(device);
    struct worker_job *work;
    bool more = false;

    while ((work = workers_take(fs->workers)) != NULL)
        finish((struct fs_request *)work);
    for (unsigned queue = 0; queue < FS_QUEUES && virtio_device_is_open(device); queue++) {
        virtio_stop_listening(&device->virtio, queue);
        more |= take_requests(fs, queue);
    }
    return more;
}

/* All requests are finished; the workers only have to end. */
static void fs_close(struct virtio_device *device)
{
    struct fs *fs = fs_of(device);

    if (fs->workers != NULL && workers_close(fs->workers)) {
        free(fs->requests);
        fs->requests = NULL;
        fs->workers = NULL;
    }
}

static const struct virtio_kind kind = {
    .virtio = {.name = "fs", .id = VIRTIO_ID_FS, .queues = FS_QUEUES},
    .run = fs_run,
    .close = fs_close,
};

int fs_init(struct fs *fs, const struct backend *backend, unsigned index,
            struct fuse_server *server, const char *tag, struct error *error)
{
    *fs = (struct fs){.server = server, .config = {.request_queues = FS_QUEUES - 1}};
    memcpy(fs->config.tag, tag, strnlen(tag, sizeof fs->config.tag));
    fs->requests = malloc(FS_REQUESTS * sizeof *fs->requests);
    if (fs->requests == NULL)
        return error_set(error, "out of memory for a shared folder");
    fs->workers = workers_open("fs", FS_THREADS, fuse_server_enter_thread, error);
    if (fs->workers == NULL) {
        free(fs->requests);
        return -1;
    }
    for (unsigned i = 0; i < FS_REQUESTS; i++) {
        fs->requests[i].fs = fs;
        fs->requests[i].next = fs->idle;
        fs->idle = &fs->requests[i];
    }
    virtio_device_init(&fs->device, &kind, backend, index, 0, FS_QUEUE_SIZE, &fs->config,
                       sizeof fs->config);
    fs->device.fd = workers_fd(fs->workers);
    return 0;
}
