/* FUSE's operations on open folders, and on the share as a whole. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "fuse/call.h"

enum { BATCH = 32 * 1024 };

int fuse_opendir(struct fuse_call *call)
{
    int fd = fuse_node_fd(&call->server->nodes, call->node);
    struct fuse_open_out *out;
    uint64_t handle;
    int code;

    if (fd < 0)
        return fd;
    fd = fuse_open_node(call, fd, S_IFDIR, O_RDONLY);
    if (fd < 0)
        return fd;
    code = fuse_handle_add(&call->server->handles, fd, call->node->id, true, &handle);
    if (code != 0)
        return code;
    out = fuse_reply(call, sizeof *out);
    out->fh = handle;
    out->open_flags = call->server->lasting ? FOPEN_CACHE_DIR | FOPEN_KEEP_CACHE : 0;
    return 0;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Adds one entry to the reply, with the file's attributes if `plus`. 1: added, 0: hidden from the
 * guest, -ENOSPC: no room. */
static int put_entry(struct fuse_call *call, const struct dirent64 *entry, size_t room, bool plus)
{
    size_t length = strlen(entry->d_name), head = plus ? sizeof(struct fuse_entry_out) : 0;
    size_t size = head + FUSE_NAME_OFFSET + length;
    size_t padded = (size + sizeof(uint64_t) - 1) & ~(sizeof(uint64_t) - 1);
    struct fuse_entry_out about = {0};
    struct fuse_dirent own = {
        .off = (uint64_t)entry->d_off, .namelen = (uint32_t)length, .type = entry->d_type};
    struct stat status;
    uint8_t *at;
    uint64_t id;

    if (call->used + padded > room)
        return -ENOSPC;
    if (fuse_node_is_hidden(&call->server->nodes, call->node->dev, entry->d_ino) ||
        fuse_name_is_hidden(&call->server->nodes, call->node, entry->d_name))
        return 0;
    own.ino = fuse_file_number(&call->server->nodes, call->node->dev, entry->d_ino);
    if (plus && !is_dots(entry->d_name)) {
        if (fuse_node_lookup(&call->server->nodes, call->node, entry->d_name, &id, &status) != 0)
            return 0; /* it is gone again, or hidden from the guest */
        fuse_fill_entry(call, id, &status, &about);
        own.ino = about.attr.ino;
        own.type = (status.st_mode & S_IFMT) >> 12;
    }
    at = fuse_reply(call, padded);
    memcpy(at, &about, head);
    memcpy(at + head, &own, FUSE_NAME_OFFSET);
    memcpy(at + head + FUSE_NAME_OFFSET, entry->d_name, length);
    return 1;
}

/* Moves the handle's position. Fills the reply with entries from `offset` on, as many as there is
 * room for; the guest asks again for the rest. */
static int fill(struct fuse_call *call, int fd, uint64_t offset, size_t room, bool plus)
{
    _Alignas(struct dirent64) char batch[BATCH];
    ssize_t n;
    int code = 0;

    if (lseek(fd, (off_t)offset, SEEK_SET) < 0)
        return -errno;
    do {
        n = getdents64(fd, batch, room < sizeof batch ? room : sizeof batch);
        if (n < 0)
            return errno == EINVAL && call->used > 0 ? 0 : -errno;
        for (ssize_t at = 0; at < n && code >= 0;) {
            const struct dirent64 *entry = (const void *)(batch + at);

            code = put_entry(call, entry, room, plus);
            at += entry->d_reclen;
        }
    } while (n > 0 && call->used == 0 && code >= 0); /* while all of a batch are hidden */
    return code == -ENOSPC && call->used == 0 ? -EINVAL : 0;
}

static int read_folder(struct fuse_call *call, bool plus)
{
    const struct fuse_read_in *in = fuse_take(call, sizeof *in);
    struct fuse_handle *h;
    int code;

    if (in == NULL)
        return -EINVAL;
    h = fuse_handle_get(&call->server->handles, in->fh, true);
    if (h == NULL)
        return -EBADF;
    lock_take(&h->position);
    code =
        fill(call, h->fd, in->offset, in->size < FUSE_REPLY_MAX ? in->size : FUSE_REPLY_MAX, plus);
    lock_release(&h->position);
    fuse_handle_put(&call->server->handles, h);
    return code;
}

int fuse_readdir(struct fuse_call *call)
{
    return read_folder(call, false);
}

int fuse_readdirplus(struct fuse_call *call)
{
    return read_folder(call, true);
}

int fuse_fsyncdir(struct fuse_call *call)
{
    const struct fuse_fsync_in *in = fuse_take(call, sizeof *in);
    struct fuse_handle *h =
        in == NULL ? NULL : fuse_handle_get(&call->server->handles, in->fh, true);
    int code;

    if (h == NULL)
        return in == NULL ? -EINVAL : -EBADF;
    code = fsync(h->fd) == 0 ? 0 : -errno;
    fuse_handle_put(&call->server->handles, h);
    return code;
}

int fuse_syncfs(struct fuse_call *call)
{
    int fd = fuse_node_fd(&call->server->nodes, call->node), code;

    if (fd < 0)
        return fd;
    if (call->node->type != S_IFDIR)
        return -EINVAL;
    fd = fuse_open_node(call, fd, S_IFDIR, O_RDONLY);
    if (fd < 0)
        return fd;
    code = syncfs(fd) == 0 ? 0 : -errno;
    close(fd);
    return code;
}
