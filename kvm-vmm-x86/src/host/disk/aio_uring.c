/* Asynchronous files by io_uring(7), with liburing; see aio.h. */
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "host/disk/aio.h"
#include "host/notifier.h"

_Static_assert(sizeof(struct virtio_piece) == sizeof(struct iovec) &&
                   offsetof(struct virtio_piece, at) == offsetof(struct iovec, iov_base) &&
                   offsetof(struct virtio_piece, size) == offsetof(struct iovec, iov_len),
               "a piece is an iovec");

struct uring {
    struct aio aio;
    struct io_uring ring;
    struct notifier done;
};

/* The ring has AIO_MAX entries. If it is full, its entries are submitted first, so there is always
 * a free one. */
static void submit(struct aio *aio, struct aio_job *job)
{
    struct uring *u = (struct uring *)aio;
    struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
    const struct iovec *pieces = (const struct iovec *)job->pieces;

    if (sqe == NULL) {
        (void)io_uring_submit(&u->ring);
        sqe = io_uring_get_sqe(&u->ring);
    }
    if (sqe == NULL) { /* the kernel is short of memory */
        job->result = -ENOMEM;
        aio->in_flight--;
        job->done(job);
        return;
    }
    switch (job->kind) {
    case AIO_READ:
        io_uring_prep_readv(sqe, job->fd, pieces, job->count, job->offset);
        break;
    case AIO_WRITE:
        io_uring_prep_writev(sqe, job->fd, pieces, job->count, job->offset);
        break;
    case AIO_SYNC:
        io_uring_prep_fsync(sqe, job->fd, IORING_FSYNC_DATASYNC);
        break;
    case AIO_ALLOCATE:
        io_uring_prep_fallocate(sqe, job->fd, job->mode, (off_t)job->offset, (off_t)job->size);
        break;
    }
    io_uring_sqe_set_data(sqe, job);
}

/* Entries that the kernel does not take now (it is short of memory) stay in the ring for the next
 * call. */
static void flush(struct aio *aio)
{
    if (io_uring_sq_ready(&((struct uring *)aio)->ring) > 0)
        (void)io_uring_submit(&((struct uring *)aio)->ring);
}

static void collect(struct aio *aio)
{
    struct uring *u = (struct uring *)aio;
    struct io_uring_cqe *cqe;

    while (io_uring_peek_cqe(&u->ring, &cqe) == 0) {
        struct aio_job *job = io_uring_cqe_get_data(cqe);

        job->result = cqe->res;
        io_uring_cqe_seen(&u->ring, cqe);
        aio->in_flight--;
        job->done(job);
    }
    flush(aio); /* jobs done only in part have submitted the rest */
}

static bool close_uring(struct aio *aio)
{
    struct uring *u = (struct uring *)aio;

    if (aio->in_flight > 0)
        return false;
    io_uring_queue_exit(&u->ring);
    notifier_close(&u->done);
    free(u);
    return true;
}

/* The ring lives as long as its descriptor or its mapping, so both must go. */
static void leave_uring(struct aio *aio)
{
    (void)close_uring(aio);
}

static const struct aio_ops ops = {.name = "io_uring",
                                   .submit = submit,
                                   .flush = flush,
                                   .collect = collect,
                                   .close = close_uring,
                                   .leave = leave_uring};

/* seccomp does not see the operations in the ring. So the ring is restricted for ever to those that
 * submit() uses. 0 or a negative errno. */
static int restrict_to_ours(struct io_uring *ring)
{
    static const uint8_t ours[] = {IORING_OP_READV, IORING_OP_WRITEV, IORING_OP_FSYNC,
                                   IORING_OP_FALLOCATE};
    struct io_uring_restriction allowed[sizeof ours] = {0};
    int code;

    for (unsigned i = 0; i < sizeof ours; i++) {
        allowed[i].opcode = IORING_RESTRICTION_SQE_OP;
        allowed[i].sqe_op = ours[i];
    }
    code = io_uring_register_restrictions(ring, allowed, sizeof ours);
    return code < 0 ? code : io_uring_enable_rings(ring);
}

struct aio *aio_open_uring(struct error *error)
{
    struct uring *u = calloc(1, sizeof *u);
    int code;

    if (u == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    u->aio.ops = &ops;
    if (notifier_open(&u->done, error) < 0)
        goto free;
    code = io_uring_queue_init(AIO_MAX, &u->ring, IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED);
    if (code < 0) {
        error_set(error, "no io_uring: %s", strerror(-code));
        goto close;
    }
    code = io_uring_register_eventfd(&u->ring, u->done.fd);
    if (code < 0) {
        error_set(error, "no io_uring with an eventfd: %s", strerror(-code));
        goto exit;
    }
    code = restrict_to_ours(&u->ring);
    if (code < 0) {
        error_set(error, "no io_uring that can be restricted: %s", strerror(-code));
        goto exit;
    }
    u->aio.fd = u->done.fd;
    return &u->aio;
exit:
    io_uring_queue_exit(&u->ring);
close:
    notifier_close(&u->done);
free:
    free(u);
    return NULL;
}
