/* FUSE's operations on open files. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "fuse/call.h"

/* The most that one request may copy, since others wait for its thread. */
enum { COPY_MAX = 16 << 20 };

int fuse_open(struct fuse_call *call)
{
    const struct fuse_open_in *in = fuse_take(call, sizeof *in);
    int fd = in == NULL ? -EINVAL : fuse_node_fd(&call->server->nodes, call->node);
    struct fuse_open_out *out;
    uint64_t handle;
    int code;

    if (fd < 0)
        return fd;
    fd = fuse_open_node(call, fd, S_IFREG, in->flags);
    if (fd < 0)
        return fd;
    if ((in->open_flags & FUSE_OPEN_KILL_SUIDGID) && !call->server->read_only)
        fuse_drop_privileges_of(fd);
    code = fuse_handle_add(&call->server->handles, fd, call->node->id, false, &handle);
    if (code != 0)
        return code;
    out = fuse_reply(call, sizeof *out);
    out->fh = handle;
    out->open_flags = FOPEN_KEEP_CACHE; /* FUSE_AUTO_INVAL_DATA drops old data */
    return 0;
}

/* The handle that a request begins with; NULL: it is not open. */
static struct fuse_handle *file_of(struct fuse_call *call, uint64_t id)
{
    return fuse_handle_get(&call->server->handles, id, false);
}

/* The guest takes a short reply for the end of the file, so a host's file system that returns less
 * is read again. */
static int64_t read_all(int file, const struct iovec *room, unsigned count, size_t size,
                        uint64_t offset)
{
    struct iovec pieces[IOV_MAX];
    size_t done = 0, skip;
    ssize_t n;

    do {
        unsigned used = 0;
        size_t left = size - done;

        skip = done;
        for (unsigned i = 0; i < count && used < IOV_MAX && left > 0; i++) {
            if (skip >= room[i].iov_len) {
                skip -= room[i].iov_len;
                continue;
            }
            pieces[used] =
                (struct iovec){(uint8_t *)room[i].iov_base + skip, room[i].iov_len - skip};
            skip = 0;
            if (pieces[used].iov_len > left)
                pieces[used].iov_len = left;
            left -= pieces[used++].iov_len;
        }
        n = preadv(file, pieces, (int)used, (off_t)(offset + done));
        if (n < 0)
            return done > 0 ? (int64_t)done : -errno;
        done += (size_t)n;
    } while (n > 0 && done < size);
    return (int64_t)done;
}

int fuse_read(struct fuse_call *call)
{
    const struct fuse_read_in *in = fuse_take(call, sizeof *in);
    const struct fuse_request *r = call->request;
    struct fuse_handle *h;
    int64_t n;

    if (in == NULL || in->offset > INT64_MAX - FUSE_TRANSFER_MAX)
        return -EINVAL;
    h = file_of(call, in->fh);
    if (h == NULL)
        return -EBADF;
    n = read_all(h->fd, r->room, r->room_count, in->size < r->room_size ? in->size : r->room_size,
                 in->offset);
    fuse_handle_put(&call->server->handles, h);
    if (n < 0)
        return (int)n;
    call->request->moved = (size_t)n;
    return 0;
}

int fuse_write(struct fuse_call *call)
{
    const struct fuse_write_in *in = fuse_take(call, sizeof *in);
    const struct fuse_request *r = call->request;
    struct fuse_write_out *out;
    struct fuse_handle *h;
    ssize_t n;

    if (in == NULL || in->offset > INT64_MAX || in->size != r->data_size)
        return -EINVAL;
    h = file_of(call, in->fh);
    if (h == NULL)
        return -EBADF;
    n = pwritev(h->fd, r->data, (int)(r->data_count < IOV_MAX ? r->data_count : IOV_MAX),
                (off_t)in->offset);
    n = n < 0 ? -errno : n;
    if (n > 0 && (in->write_flags & FUSE_WRITE_KILL_SUIDGID))
        fuse_drop_privileges_of(h->fd);
    fuse_handle_put(&call->server->handles, h);
    if (n < 0)
        return (int)n;
    out = fuse_reply(call, sizeof *out);
    out->size = (uint32_t)n;
    return 0;
}

/* Some file systems say only at close(2) that a write failed. */
int fuse_flush(struct fuse_call *call)
{
    const struct fuse_flush_in *in = fuse_take(call, sizeof *in);
    struct fuse_handle *h = in == NULL ? NULL : file_of(call, in->fh);
    int copy, code = 0;

    if (h == NULL)
        return in == NULL ? -EINVAL : -EBADF;
    copy = fcntl(h->fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0 || close(copy) < 0)
        code = -errno;
    fuse_handle_put(&call->server->handles, h);
    return code;
}

int fuse_fsync(struct fuse_call *call)
{
    const struct fuse_fsync_in *in = fuse_take(call, sizeof *in);
    struct fuse_handle *h = in == NULL ? NULL : file_of(call, in->fh);
    int code;

    if (h == NULL)
        return in == NULL ? -EINVAL : -EBADF;
    code = (in->fsync_flags & FUSE_FSYNC_FDATASYNC ? fdatasync(h->fd) : fsync(h->fd)) == 0 ? 0
                                                                                           : -errno;
    fuse_handle_put(&call->server->handles, h);
    return code;
}

int fuse_release(struct fuse_call *call)
{
    const struct fuse_release_in *in = fuse_take(call, sizeof *in);

    if (in == NULL)
        return -EINVAL;
    fuse_handle_drop(&call->server->handles, in->fh);
    return 0;
}

int fuse_fallocate(struct fuse_call *call)
{
    const struct fuse_fallocate_in *in = fuse_take(call, sizeof *in);
    struct fuse_handle *h;
    int code;

    if (in == NULL || in->offset > INT64_MAX || in->length > INT64_MAX)
        return -EINVAL;
    if (in->mode & ~(uint32_t)(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
        return -EOPNOTSUPP;
    h = file_of(call, in->fh);
    if (h == NULL)
        return -EBADF;
    code = fallocate(h->fd, (int)in->mode, (off_t)in->offset, (off_t)in->length) == 0 ? 0 : -errno;
    fuse_handle_put(&call->server->handles, h);
    return code;
}

/* Only SEEK_HOLE and SEEK_DATA: the guest computes other offsets itself. */
int fuse_lseek(struct fuse_call *call)
{
    const struct fuse_lseek_in *in = fuse_take(call, sizeof *in);
    struct fuse_lseek_out *out;
    struct fuse_handle *h;
    off_t at;
    int code;

    if (in == NULL || in->offset > INT64_MAX ||
        (in->whence != SEEK_DATA && in->whence != SEEK_HOLE))
        return -EINVAL;
    h = file_of(call, in->fh);
    if (h == NULL)
        return -EBADF;
    at = lseek(h->fd, (off_t)in->offset, (int)in->whence);
    code = at < 0 ? -errno : 0;
    fuse_handle_put(&call->server->handles, h);
    if (code != 0)
        return code;
    out = fuse_reply(call, sizeof *out);
    out->offset = (uint64_t)at;
    return 0;
}

int fuse_copy_file_range(struct fuse_call *call)
{
    const struct fuse_copy_file_range_in *in = fuse_take(call, sizeof *in);
    struct fuse_handle *from, *to;
    struct fuse_write_out *out;
    off_t at, to_at;
    ssize_t n = -EBADF;

    if (in == NULL || in->off_in > INT64_MAX || in->off_out > INT64_MAX || in->flags != 0)
        return -EINVAL;
    at = (off_t)in->off_in;
    to_at = (off_t)in->off_out;
    from = file_of(call, in->fh_in);
    to = file_of(call, in->fh_out);
    if (from != NULL && to != NULL) {
        n = copy_file_range(from->fd, &at, to->fd, &to_at, in->len < COPY_MAX ? in->len : COPY_MAX,
                            0);
        n = n < 0 ? -errno : n;
    }
    fuse_handle_put(&call->server->handles, from);
    fuse_handle_put(&call->server->handles, to);
    if (n < 0)
        return (int)n;
    out = fuse_reply(call, sizeof *out);
    out->size = (uint32_t)n;
    return 0;
}
