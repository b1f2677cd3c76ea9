/* Asynchronous files by threads that wait for them; see aio.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "host/aio.h"
#include "host/notifier.h"
#include "host/threads.h"

enum { THREADS = 8 };

struct queue {
    struct aio_job *first, **end;
};

struct pool {
    struct aio aio;
    struct notifier done;
    struct lock lock; /* protects what follows */
    struct condition news;
    struct queue todo, finished;
    bool stop;
    struct thread threads[THREADS];
    unsigned count;
};

static void put(struct queue *q, struct aio_job *job)
{
    job->next = NULL;
    *q->end = job;
    q->end = &job->next;
}

static struct aio_job *take(struct queue *q)
{
    struct aio_job *job = q->first;

    if (job != NULL) {
        q->first = job->next;
        if (q->first == NULL)
            q->end = &q->first;
    }
    return job;
}

static int64_t carry_out(const struct aio_job *job)
{
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
    return n < 0 ? -errno : n;
}

static void *work(void *argument)
{
    struct pool *p = argument;
    struct aio_job *job;
    bool first;

    thread_name("aio");
    lock_take(&p->lock);
    while (!p->stop) {
        job = take(&p->todo);
        if (job == NULL) {
            condition_wait(&p->news, &p->lock);
            continue;
        }
        lock_release(&p->lock);
        job->result = carry_out(job);
        lock_take(&p->lock);
        first = p->finished.first == NULL;
        put(&p->finished, job);
        if (first)
            notifier_signal(&p->done);
    }
    lock_release(&p->lock);
    return NULL;
}

static void submit(struct aio *aio, struct aio_job *job)
{
    struct pool *p = (struct pool *)aio;

    lock_take(&p->lock);
    put(&p->todo, job);
    condition_wake_all(&p->news);
    lock_release(&p->lock);
}

static void flush(struct aio *aio)
{
    (void)aio;
}

static void collect(struct aio *aio)
{
    struct pool *p = (struct pool *)aio;
    struct aio_job *job;

    for (;;) {
        lock_take(&p->lock);
        job = take(&p->finished);
        lock_release(&p->lock);
        if (job == NULL)
            return;
        aio->in_flight--;
        job->done(job);
    }
}

static void stop(struct pool *p)
{
    lock_take(&p->lock);
    p->stop = true;
    condition_wake_all(&p->news);
    lock_release(&p->lock);
    while (p->count > 0)
        thread_join(&p->threads[--p->count]);
    notifier_close(&p->done);
    free(p);
}

static bool close_threads(struct aio *aio)
{
    if (aio->in_flight > 0)
        return false;
    stop((struct pool *)aio);
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
    p->aio.ops = &ops;
    p->todo.end = &p->todo.first;
    p->finished.end = &p->finished.first;
    lock_init(&p->lock);
    condition_init(&p->news);
    if (notifier_open(&p->done, error) < 0) {
        free(p);
        return NULL;
    }
    p->aio.fd = p->done.fd;
    while (p->count < THREADS) {
        if (thread_start(&p->threads[p->count], work, p, error) < 0) {
            stop(p);
            return NULL;
        }
        p->count++;
    }
    return &p->aio;
}
