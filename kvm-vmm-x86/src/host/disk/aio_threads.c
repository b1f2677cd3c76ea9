/* Asynchronous files by threads that block; see aio.h. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "host/disk/aio.h"

enum { THREADS = 8 };

struct pool {
    struct aio aio;
    struct workers *workers;
};

static struct aio_job *job_of(struct worker_job *work)
{
    return (struct aio_job *)((char *)work - offsetof(struct aio_job, work));
}

static void carry_out(struct worker_job *work)
{
    struct aio_job *job = job_of(work);
    const struct iovec *pieces = (const struct iovec *)job->pieces;
    ssize_t n;

    do {
        switch (job->kind) {
        case AIO_READ:
            n = preadv(job->fd, pieces, (int)job->count, (off_t)job->offset);
            break;
        case AIO_WRITE:
            n = pwritev(job->fd, pieces, (int)job->count, (off_t)job->offset);
            break;
        case AIO_SYNC:
            n = fdatasync(job->fd);
            break;
        default:
            n = fallocate(job->fd, job->mode, (off_t)job->offset, (off_t)job->size);
            break;
        }
    } while (n < 0 && errno == EINTR);
    job->result = n < 0 ? -errno : n;
}

static void submit(struct aio *aio, struct aio_job *job)
{
    job->work.carry_out = carry_out;
    workers_submit(((struct pool *)aio)->workers, &job->work);
}

static void flush(struct aio *aio)
{
    (void)aio;
}

static void collect(struct aio *aio)
{
    struct worker_job *work;

    while ((work = workers_take(((struct pool *)aio)->workers)) != NULL) {
        struct aio_job *job = job_of(work);

        aio->in_flight--;
        job->done(job);
    }
}

static bool close_threads(struct aio *aio)
{
    if (!workers_close(((struct pool *)aio)->workers))
        return false;
    free(aio);
    return true;
}

static const struct aio_ops ops = {.name = "threads",
                                   .submit = submit,
                                   .flush = flush,
                                   .collect = collect,
                                   .close = close_threads};

struct aio *aio_open_threads(struct error *error)
{
    struct pool *p = calloc(1, sizeof *p);

    if (p == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    p->workers = workers_open("aio", THREADS, NULL, error);
    if (p->workers == NULL) {
        free(p);
        return NULL;
    }
    p->aio.ops = &ops;
    p->aio.fd = workers_fd(p->workers);
    return &p->aio;
}
