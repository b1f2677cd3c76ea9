/*
 * Reading and writing files without waiting for them: by io_uring, or by a few threads where the
 * kernel has none to offer (before 5.1, or where a sandbox or kernel.io_uring_disabled forbids it).
 * One thread uses an instance: it submits jobs and collects those that are done.
 */
#ifndef HOST_DISK_AIO_H
#define HOST_DISK_AIO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "common/device/virtio/virtio.h"
#include "host/workers.h"

enum aio_kind {
    AIO_READ,
    AIO_WRITE,
    AIO_SYNC,    /* fdatasync(2) */
    AIO_ALLOCATE /* fallocate(2), by `mode` */
};

/* Owned by its user; it and all it points to must stay in place until `done` was called. */
struct aio_job {
    enum aio_kind kind;
    int fd, mode;
    uint64_t offset, size;
    const struct virtio_piece *pieces; /* of AIO_READ and AIO_WRITE: `size` bytes in all */
    unsigned count;
    void (*done)(struct aio_job *job); /* from aio_collect; a failure, also from aio_submit */
    int64_t result;                    /* bytes moved, may be fewer than asked for; -errno */
    struct worker_job work;            /* the threads' */
};

struct aio;

struct aio_ops {
    const char *name;
    void (*submit)(struct aio *aio, struct aio_job *job);
    void (*flush)(struct aio *aio);
    void (*collect)(struct aio *aio);
    bool (*close)(struct aio *aio);
    void (*leave)(struct aio *aio); /* NULL: nothing to release */
};

struct aio {
    const struct aio_ops *ops;
    int fd;             /* becomes readable when a job is done */
    unsigned in_flight; /* jobs submitted and not yet collected */
};

/* io_uring if this machine has it, else threads; KVM_VMM_AIO=threads in the environment asks for
 * threads. NULL: `error` says why neither works. */
struct aio *aio_open(struct error *error) MUST_CHECK;
struct aio *aio_open_uring(struct error *error) MUST_CHECK;
struct aio *aio_open_threads(struct error *error) MUST_CHECK;

/* At most AIO_MAX in flight. Nothing begins before aio_flush, at the latest. */
enum { AIO_MAX = 256 };
void aio_submit(struct aio *aio, struct aio_job *job);
void aio_flush(struct aio *aio);
/* Calls `done` of all finished jobs; jobs that these submit are started before it returns. */
void aio_collect(struct aio *aio);
/* False: jobs are still in flight on a slow file; the instance is not freed. */
bool aio_close(struct aio *aio) MUST_CHECK;
/* For a forked process, which has none of its threads: releases what it shares with the parent. */
void aio_leave(struct aio *aio);

#endif
