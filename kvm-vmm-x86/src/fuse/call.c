/* Functions that all operations of the FUSE server use; see call.h. */
#include "fuse/call.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Seconds for which the guest may cache attributes and entries. */
enum { VALID = 1, VALID_LASTING = 3600 };

uint64_t fuse_valid(const struct fuse_server *server)
{
    return server->lasting ? VALID_LASTING : VALID;
}

const void *fuse_take(struct fuse_call *call, size_t size)
{
    const void *at = call->at;

    if (call->left < size)
        return NULL;
    call->at += size;
    call->left -= size;
    return at;
}

const char *fuse_take_string(struct fuse_call *call)
{
    size_t length = strnlen((const char *)call->at, call->left);

    if (length == call->left || length >= PATH_MAX)
        return NULL;
    return fuse_take(call, length + 1);
}

int fuse_take_name(struct fuse_call *call, const char **name)
{
    const char *text = fuse_take_string(call);

    if (text == NULL || text[0] == '\0' || strchr(text, '/') != NULL || strcmp(text, ".") == 0 ||
        strcmp(text, "..") == 0)
        return -EINVAL;
    if (strlen(text) > NAME_MAX)
        return -ENAMETOOLONG;
    *name = text;
    return 0;
}

void *fuse_reply(struct fuse_call *call, size_t size)
{
    void *at = call->out + call->used;

    memset(at, 0, size);
    call->used += size;
    return at;
}

/* If the VMM does not run as root, its user's files belong to root in the guest. */
static uint32_t shown(const struct fuse_server *s, uint32_t id, uint32_t own)
{
    return !s->privileged && id == own ? 0 : id;
}

bool fuse_map_owner(const struct fuse_server *server, uint32_t *user, uint32_t *group)
{
    if (server->privileged)
        return true;
    if ((*user != 0 && *user != UINT32_MAX && *user != server->user) ||
        (*group != 0 && *group != UINT32_MAX && *group != server->group))
        return false;
    *user = *group = UINT32_MAX; /* no change: they are the user's, or the host refuses */
    return true;
}

enum { FILE_SHIFT = 56 };

uint64_t fuse_file_number(struct fuse_nodes *nodes, dev_t dev, ino_t ino)
{
    unsigned i = 0;

    lock_take(&nodes->lock);
    while (i < nodes->device_count && nodes->devices[i] != dev)
        i++;
    if (i == nodes->device_count && i < FUSE_DEVICES_MAX)
        nodes->devices[nodes->device_count++] = dev;
    lock_release(&nodes->lock);
    return ino ^ (uint64_t)i << FILE_SHIFT;
}

void fuse_fill_attributes(struct fuse_call *call, const struct stat *status, struct fuse_attr *attr)
{
    struct fuse_server *s = call->server;

    *attr = (struct fuse_attr){.ino = fuse_file_number(&s->nodes, status->st_dev, status->st_ino),
                               .size = (uint64_t)status->st_size,
                               .blocks = (uint64_t)status->st_blocks,
                               .atime = (uint64_t)status->st_atim.tv_sec,
                               .mtime = (uint64_t)status->st_mtim.tv_sec,
                               .ctime = (uint64_t)status->st_ctim.tv_sec,
                               .atimensec = (uint32_t)status->st_atim.tv_nsec,
                               .mtimensec = (uint32_t)status->st_mtim.tv_nsec,
                               .ctimensec = (uint32_t)status->st_ctim.tv_nsec,
                               .mode = status->st_mode,
                               .nlink = (uint32_t)status->st_nlink,
                               .uid = shown(s, status->st_uid, s->user),
                               .gid = shown(s, status->st_gid, s->group),
                               .rdev = (uint32_t)status->st_rdev,
                               .blksize = (uint32_t)status->st_blksize};
}

void fuse_fill_entry(struct fuse_call *call, uint64_t id, const struct stat *status,
                     struct fuse_entry_out *out)
{
    *out = (struct fuse_entry_out){.nodeid = id,
                                   .generation = id >> 32,
                                   .entry_valid = fuse_valid(call->server),
                                   .attr_valid = fuse_valid(call->server)};
    fuse_fill_attributes(call, status, &out->attr);
}

int fuse_reply_entry(struct fuse_call *call, const char *name)
{
    struct stat status;
    uint64_t id;
    int code = fuse_node_lookup(&call->server->nodes, call->node, name, &id, &status);

    if (code == 0)
        fuse_fill_entry(call, id, &status, fuse_reply(call, sizeof(struct fuse_entry_out)));
    return code;
}

struct fuse_path fuse_path_of(int fd)
{
    struct fuse_path path;

    snprintf(path.text, sizeof path.text, "/proc/self/fd/%d", fd);
    return path;
}

/* Only these flags of open(2) come from the guest. O_NONBLOCK: a file with a lease is an error,
 * instead of blocking the thread. */
int fuse_open_node(struct fuse_call *call, int fd, mode_t type, uint32_t flags)
{
    int own = (int)(flags & (O_ACCMODE | O_APPEND | O_TRUNC | O_DSYNC | O_SYNC));
    struct stat status;
    int opened;

    if (fstat(fd, &status) < 0)
        return -errno;
    if ((status.st_mode & S_IFMT) != type)
        return type == S_IFDIR ? -ENOTDIR : -EACCES;
    if (call->server->read_only && ((own & O_ACCMODE) != O_RDONLY || (own & O_TRUNC)))
        return -EROFS;
    if (type == S_IFDIR)
        own = O_DIRECTORY;
    opened = open(fuse_path_of(fd).text, own | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return opened >= 0 ? fuse_may_wait(opened) : -errno;
}

int fuse_may_wait(int file)
{
    int flags = fcntl(file, F_GETFL);

    if (flags >= 0)
        (void)fcntl(file, F_SETFL, flags & ~O_NONBLOCK);
    return file;
}

void fuse_drop_privileges_of(int file)
{
    struct stat status;

    if (fstat(file, &status) == 0 && (status.st_mode & (S_ISUID | S_ISGID)) != 0)
        (void)!fchmod(file, status.st_mode & 07777 & ~(mode_t)(S_ISUID | S_ISGID));
}

/* A setting of the thread. The guest's kernel asks with each write to clear the bits
 * (FUSE_WRITE_KILL_SUIDGID), but a hostile one would not. */
void fuse_keep_set_id(bool keep)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &header, sets) != 0)
        return;
    if (keep)
        sets[0].effective |= sets[0].permitted & 1u << CAP_FSETID;
    else
        sets[0].effective &= ~(1u << CAP_FSETID);
    (void)syscall(SYS_capset, &header, sets);
}
