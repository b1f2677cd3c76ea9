/* FUSE's operations on attributes, extended attributes and the targets of symbolic links. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fuse/call.h"

enum { MODES = 01777 };

static int reply_attributes(struct fuse_call *call, int fd)
{
    struct fuse_attr_out *out;
    struct stat status;

    if (fstat(fd, &status) < 0)
        return -errno;
    out = fuse_reply(call, sizeof *out);
    out->attr_valid = fuse_valid(call->server);
    fuse_fill_attributes(call, &status, &out->attr);
    return 0;
}

/* A file that is open may have lost its name, and its node may have no descriptor. */
int fuse_getattr(struct fuse_call *call)
{
    const struct fuse_getattr_in *in = fuse_take(call, sizeof *in);
    struct fuse_handle *handle = NULL;
    int fd;

    if (in == NULL)
        return -EINVAL;
    if (in->getattr_flags & FUSE_GETATTR_FH)
        handle = fuse_handle_get(&call->server->handles, in->fh, call->node->type == S_IFDIR);
    fd = handle != NULL ? handle->fd : fuse_node_fd(&call->server->nodes, call->node);
    if (fd >= 0)
        fd = reply_attributes(call, fd);
    fuse_handle_put(&call->server->handles, handle);
    return fd;
}

static struct timespec time_of(uint32_t valid, uint32_t given, uint32_t now, uint64_t seconds,
                               uint32_t nanoseconds)
{
    if (valid & now)
        return (struct timespec){.tv_nsec = UTIME_NOW};
    if (!(valid & given))
        return (struct timespec){.tv_nsec = UTIME_OMIT};
    return (struct timespec){.tv_sec = (time_t)seconds, .tv_nsec = nanoseconds};
}

/* Checks the descriptor's own file type: a handle may belong to another file than the request's
 * node. */
static int set_mode(int fd, const char *path, uint32_t mode)
{
    struct stat status;
    mode_t kept;
    int code;

    if (fstat(fd, &status) < 0)
        return -errno;
    kept = MODES | (S_ISDIR(status.st_mode) ? S_ISGID : 0);
    if (S_ISLNK(status.st_mode))
        return -EOPNOTSUPP;
    if (mode & 07777 & ~kept)
        return -EPERM; /* a guest must not make host programs that run with other rights */
    if (!S_ISDIR(status.st_mode) || !(mode & S_ISGID))
        return chmod(path, mode & kept) == 0 ? 0 : -errno;
    fuse_keep_set_id(true); /* for a folder the bit gives no rights */
    code = chmod(path, mode & kept) == 0 ? 0 : -errno;
    fuse_keep_set_id(false);
    return code;
}

static int set_owner(const struct fuse_call *call, int fd, const struct fuse_setattr_in *in)
{
    uint32_t user = in->valid & FATTR_UID ? in->uid : UINT32_MAX;
    uint32_t group = in->valid & FATTR_GID ? in->gid : UINT32_MAX;

    if (!fuse_map_owner(call->server, &user, &group))
        return -EPERM;
    return fchownat(fd, "", user, group, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0 ? 0 : -errno;
}

static int set_size(const struct fuse_call *call, const char *path, int open_file, uint64_t size)
{
    if (call->node->type != S_IFREG || size > INT64_MAX)
        return -EINVAL;
    if (open_file >= 0)
        return ftruncate(open_file, (off_t)size) == 0 ? 0 : -errno;
    return truncate(path, (off_t)size) == 0 ? 0 : -errno;
}

/* `file`: the descriptor of an open file, or -1. */
static int set_all(struct fuse_call *call, const struct fuse_setattr_in *in, int fd, int file)
{
    struct fuse_path path = fuse_path_of(fd);
    uint32_t valid = in->valid;
    struct timespec times[2] = {
        time_of(valid, FATTR_ATIME, FATTR_ATIME_NOW, in->atime, in->atimensec),
        time_of(valid, FATTR_MTIME, FATTR_MTIME_NOW, in->mtime, in->mtimensec)};
    int code = 0;

    if (valid & FATTR_MODE)
        code = set_mode(fd, path.text, in->mode);
    if (code == 0 && (valid & (FATTR_UID | FATTR_GID)))
        code = set_owner(call, fd, in);
    if (code == 0 && (valid & FATTR_SIZE))
        code = set_size(call, path.text, file, in->size);
    if (code == 0 && (valid & FATTR_KILL_SUIDGID) && file >= 0)
        fuse_drop_privileges_of(file);
    if (code == 0 && (valid & (FATTR_ATIME | FATTR_ATIME_NOW | FATTR_MTIME | FATTR_MTIME_NOW)) &&
        utimensat(AT_FDCWD, path.text, times, 0) < 0)
        code = -errno;
    return code;
}

int fuse_setattr(struct fuse_call *call)
{
    const struct fuse_setattr_in *in = fuse_take(call, sizeof *in);
    struct fuse_handle *handle = NULL;
    int fd, code;

    if (in == NULL)
        return -EINVAL;
    if (in->valid & FATTR_FH)
        handle = fuse_handle_get(&call->server->handles, in->fh, false);
    fd = handle != NULL ? handle->fd : fuse_node_fd(&call->server->nodes, call->node);
    code = fd < 0 ? fd : set_all(call, in, fd, handle != NULL ? handle->fd : -1);
    if (code == 0)
        code = reply_attributes(call, fd);
    fuse_handle_put(&call->server->handles, handle);
    return code;
}

int fuse_readlink(struct fuse_call *call)
{
    int fd = fuse_node_fd(&call->server->nodes, call->node);
    ssize_t length;

    if (fd < 0)
        return fd;
    length = readlinkat(fd, "", (char *)call->out, PATH_MAX);
    if (length < 0)
        return errno == ENOENT ? -EINVAL : -errno; /* ENOENT: it is not a link */
    call->used = (size_t)length;
    return 0;
}

int fuse_statfs(struct fuse_call *call)
{
    int fd = fuse_node_fd(&call->server->nodes, call->node);
    struct fuse_statfs_out *out;
    struct statvfs info;

    if (fd < 0)
        return fd;
    if (fstatvfs(fd, &info) < 0)
        return -errno;
    out = fuse_reply(call, sizeof *out);
    out->st = (struct fuse_kstatfs){.blocks = info.f_blocks,
                                    .bfree = info.f_bfree,
                                    .bavail = info.f_bavail,
                                    .files = info.f_files,
                                    .ffree = info.f_ffree,
                                    .bsize = (uint32_t)info.f_bsize,
                                    .namelen = (uint32_t)info.f_namemax,
                                    .frsize = (uint32_t)info.f_frsize};
    return 0;
}

int fuse_access(struct fuse_call *call)
{
    const struct fuse_access_in *in = fuse_take(call, sizeof *in);
    int fd = in == NULL ? -EINVAL : fuse_node_fd(&call->server->nodes, call->node);

    if (fd < 0)
        return fd;
    return faccessat(AT_FDCWD, fuse_path_of(fd).text, (int)(in->mask & 7), AT_EACCESS) == 0
               ? 0
               : -errno;
}

/* Other names give rights on the host (security.capability) or belong to the host, as overlayfs's
 * do. */
static bool may_be_set(const char *name)
{
    return strncmp(name, "user.", 5) == 0;
}

static int attribute_of(struct fuse_call *call, const char **name, struct fuse_path *path)
{
    int fd = fuse_node_fd(&call->server->nodes, call->node);

    if (fd < 0)
        return fd;
    *path = fuse_path_of(fd);
    *name = fuse_take_string(call);
    return *name == NULL || (*name)[0] == '\0' ? -EINVAL : 0;
}

int fuse_setxattr(struct fuse_call *call)
{
    const struct fuse_setxattr_in *in = fuse_take(call, FUSE_COMPAT_SETXATTR_IN_SIZE);
    struct fuse_path path;
    const char *name;
    const void *value;
    int code = in == NULL ? -EINVAL : attribute_of(call, &name, &path);

    if (code != 0)
        return code;
    value = fuse_take(call, in->size);
    if (value == NULL)
        return -EINVAL;
    if (!may_be_set(name))
        return -EOPNOTSUPP;
    return setxattr(path.text, name, value, in->size, (int)in->flags) == 0 ? 0 : -errno;
}

/* The reply has its `length` bytes already, or gives only their number if the guest asked for that.
 */
static int reply_bytes(struct fuse_call *call, uint32_t asked, ssize_t length)
{
    struct fuse_getxattr_out *out;

    if (length < 0)
        return -errno;
    if (asked > 0) {
        call->used = (size_t)length;
        return 0;
    }
    out = fuse_reply(call, sizeof *out);
    out->size = (uint32_t)length;
    return 0;
}

/* A root file system that does not change is below an overlay, which reads an attribute of each
 * file. After one ENOSYS the guest asks no more. */
int fuse_getxattr(struct fuse_call *call)
{
    const struct fuse_getxattr_in *in = fuse_take(call, sizeof *in);
    struct fuse_path path;
    const char *name;
    int code = in == NULL ? -EINVAL : attribute_of(call, &name, &path);
    uint32_t size;

    if (call->server->lasting)
        return -ENOSYS;
    if (code != 0)
        return code;
    size = in->size < FUSE_REPLY_MAX ? in->size : FUSE_REPLY_MAX;
    return reply_bytes(call, size, getxattr(path.text, name, call->out, size));
}

int fuse_listxattr(struct fuse_call *call)
{
    const struct fuse_getxattr_in *in = fuse_take(call, sizeof *in);
    int fd = in == NULL ? -EINVAL : fuse_node_fd(&call->server->nodes, call->node);
    uint32_t size;

    if (fd < 0)
        return fd;
    size = in->size < FUSE_REPLY_MAX ? in->size : FUSE_REPLY_MAX;
    return reply_bytes(call, size, listxattr(fuse_path_of(fd).text, (char *)call->out, size));
}

int fuse_removexattr(struct fuse_call *call)
{
    struct fuse_path path;
    const char *name;
    int code = attribute_of(call, &name, &path);

    if (code != 0)
        return code;
    if (!may_be_set(name))
        return -EOPNOTSUPP;
    return removexattr(path.text, name) == 0 ? 0 : -errno;
}
