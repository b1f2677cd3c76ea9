/* FUSE's operations on names: create, look up, rename and remove. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "fuse/call.h"

enum { MODES = 01777 }; /* bits that a guest may set; for a folder also set-group-id */

int fuse_lookup(struct fuse_call *call)
{
    const char *name;
    int code = fuse_take_name(call, &name);

    if (code == 0)
        code = fuse_reply_entry(call, name);
    if (code == -ENOENT && call->server->lasting) {
        struct fuse_entry_out *out = fuse_reply(call, sizeof *out);

        out->entry_valid = fuse_valid(call->server); /* node 0: the guest caches the absence */
        return 0;
    }
    return code;
}

/* Returns the folder's descriptor, and takes the name behind the arguments. */
static int where(struct fuse_call *call, const char **name)
{
    int code = fuse_take_name(call, name);

    return code != 0 ? code : fuse_node_fd(&call->server->nodes, call->node);
}

static bool is_hidden(const struct fuse_call *call, const struct fuse_node *node, int folder,
                      const char *name)
{
    const struct fuse_nodes *nodes = &call->server->nodes;
    struct stat status;

    return fuse_name_is_hidden(nodes, node, name) ||
           (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            fuse_node_is_hidden(nodes, status.st_dev, status.st_ino));
}

/* The same for a name to create. A program of the host may trust a file of a hidden name
 * (~/.ssh/authorized_keys). */
static int where_new(struct fuse_call *call, const char **name)
{
    int folder = where(call, name);

    return folder >= 0 && is_hidden(call, call->node, folder, *name) ? -EPERM : folder;
}

/* Gives a new file to the user and group of the request, if this VMM may. */
static void own(struct fuse_call *call, int folder, const char *name)
{
    if (call->server->privileged)
        (void)!fchownat(folder, name, call->header.uid, call->header.gid,
                        AT_SYMLINK_NOFOLLOW | (name[0] == '\0' ? AT_EMPTY_PATH : 0));
}

/* Replies after a file was created. */
static int made(struct fuse_call *call, int result, int folder, const char *name)
{
    if (result < 0)
        return -errno;
    own(call, folder, name);
    return fuse_reply_entry(call, name);
}

/* The guest may not make device nodes. */
int fuse_mknod(struct fuse_call *call)
{
    const struct fuse_mknod_in *in = fuse_take(call, sizeof *in);
    const char *name;
    int folder = in == NULL ? -EINVAL : where_new(call, &name);
    mode_t type;

    if (folder < 0)
        return folder;
    type = in->mode & S_IFMT;
    if (type != S_IFREG && type != S_IFIFO && type != S_IFSOCK && type != 0)
        return -EPERM;
    return made(call, mknodat(folder, name, type | (in->mode & MODES), 0), folder, name);
}

int fuse_mkdir(struct fuse_call *call)
{
    const struct fuse_mkdir_in *in = fuse_take(call, sizeof *in);
    const char *name;
    int folder = in == NULL ? -EINVAL : where_new(call, &name);

    if (folder < 0)
        return folder;
    return made(call, mkdirat(folder, name, in->mode & (MODES | S_ISGID)), folder, name);
}

int fuse_symlink(struct fuse_call *call)
{
    const char *name, *target;
    int folder = where_new(call, &name);

    if (folder < 0)
        return folder;
    target = fuse_take_string(call);
    if (target == NULL)
        return -EINVAL;
    return made(call, symlinkat(target, folder, name), folder, name);
}

static int remove_name(struct fuse_call *call, int flags)
{
    const char *name;
    int folder = where(call, &name);

    if (folder < 0)
        return folder;
    if (is_hidden(call, call->node, folder, name))
        return -ENOENT;
    return unlinkat(folder, name, flags) == 0 ? 0 : -errno;
}

int fuse_unlink(struct fuse_call *call)
{
    return remove_name(call, 0);
}

int fuse_rmdir(struct fuse_call *call)
{
    return remove_name(call, AT_REMOVEDIR);
}

/* RENAME_WHITEOUT is refused: it would make a device node. */
static int rename_to(struct fuse_call *call, uint64_t to, uint32_t flags)
{
    struct fuse_nodes *nodes = &call->server->nodes;
    struct fuse_node *target = fuse_node_get(nodes, to);
    const char *name, *new_name;
    int folder, new_folder, code;

    if (target == NULL)
        return -ESTALE;
    folder = where(call, &name);
    code = folder < 0 ? folder : fuse_take_name(call, &new_name);
    new_folder = code < 0 ? code : fuse_node_fd(nodes, target);
    if (new_folder < 0)
        code = new_folder;
    else if (flags & ~(uint32_t)(RENAME_NOREPLACE | RENAME_EXCHANGE))
        code = -EINVAL;
    else if (is_hidden(call, call->node, folder, name))
        code = -ENOENT;
    else if (is_hidden(call, target, new_folder, new_name))
        code = -EPERM;
    else if (renameat2(folder, name, new_folder, new_name, flags) < 0)
        code = -errno;
    else {
        fuse_node_moved(nodes, target, new_name);
        if (flags & RENAME_EXCHANGE)
            fuse_node_moved(nodes, call->node, name);
        code = 0;
    }
    fuse_node_put(nodes, target);
    return code;
}

int fuse_rename(struct fuse_call *call)
{
    const struct fuse_rename_in *in = fuse_take(call, sizeof *in);

    return in == NULL ? -EINVAL : rename_to(call, in->newdir, 0);
}

int fuse_rename2(struct fuse_call *call)
{
    const struct fuse_rename2_in *in = fuse_take(call, sizeof *in);

    return in == NULL ? -EINVAL : rename_to(call, in->newdir, in->flags);
}

int fuse_link(struct fuse_call *call)
{
    const struct fuse_link_in *in = fuse_take(call, sizeof *in);
    struct fuse_node *old = in == NULL ? NULL : fuse_node_get(&call->server->nodes, in->oldnodeid);
    const char *name;
    int folder, file;

    if (old == NULL)
        return in == NULL ? -EINVAL : -ESTALE;
    folder = where_new(call, &name);
    file = folder < 0 ? folder : fuse_node_fd(&call->server->nodes, old);
    if (file >= 0)
        file = linkat(AT_FDCWD, fuse_path_of(file).text, folder, name, AT_SYMLINK_FOLLOW) == 0
                   ? fuse_reply_entry(call, name)
                   : -errno;
    fuse_node_put(&call->server->nodes, old);
    return file;
}

/* Replies with the entry of a new file and its handle. */
static int hand_out(struct fuse_call *call, int file)
{
    const struct fuse_entry_out *entry = (const void *)call->out;
    struct fuse_open_out *out;
    uint64_t handle;
    int code = fuse_handle_add(&call->server->handles, file, entry->nodeid, false, &handle);

    if (code != 0) {
        fuse_node_forget(&call->server->nodes, entry->nodeid, 1);
        return code;
    }
    out = fuse_reply(call, sizeof *out);
    out->fh = handle;
    out->open_flags = FOPEN_KEEP_CACHE;
    return 0;
}

/* Replies with the entry of a file that was just made, and with its handle. */
static int hand_out_new(struct fuse_call *call, struct fuse_node *folder, const char *name,
                        int file)
{
    struct stat status;
    uint64_t id;
    int code;

    own(call, file, "");
    code = fuse_node_adopt(&call->server->nodes, folder, name, file, &id, &status);
    if (code != 0) {
        close(file);
        return code;
    }
    fuse_fill_entry(call, id, &status, fuse_reply(call, sizeof(struct fuse_entry_out)));
    return hand_out(call, file);
}

/* The guest expected the name to be free, but the host has created it meanwhile. It may be a device
 * or pipe, whose opening has effects, so it is opened with the checks for any other file. */
static int open_existing(struct fuse_call *call, const char *name, uint32_t flags)
{
    struct fuse_nodes *nodes = &call->server->nodes;
    int code = fuse_reply_entry(call, name), file;
    struct fuse_node *node;
    uint64_t id;

    if (code != 0)
        return code;
    id = ((struct fuse_entry_out *)call->out)->nodeid;
    node = fuse_node_get(nodes, id);
    file = node == NULL ? -ESTALE : fuse_node_fd(nodes, node);
    if (file >= 0)
        file = fuse_open_node(call, file, S_IFREG, flags);
    fuse_node_put(nodes, node);
    if (file >= 0)
        return hand_out(call, file);
    fuse_node_forget(nodes, id, 1);
    return file;
}

int fuse_create(struct fuse_call *call)
{
    const struct fuse_create_in *in = fuse_take(call, sizeof *in);
    const char *name;
    int folder = in == NULL ? -EINVAL : where_new(call, &name), file;

    if (folder < 0)
        return folder;
    file = openat(folder, name,
                  (int)(in->flags & (O_ACCMODE | O_APPEND | O_DSYNC | O_SYNC)) | O_CREAT | O_EXCL |
                      O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                  in->mode & MODES);
    if (file >= 0)
        return hand_out_new(call, call->node, name, fuse_may_wait(file));
    return errno == EEXIST && !(in->flags & O_EXCL) ? open_existing(call, name, in->flags) : -errno;
}

int fuse_tmpfile(struct fuse_call *call)
{
    const struct fuse_create_in *in = fuse_take(call, sizeof *in);
    int folder = in == NULL ? -EINVAL : fuse_node_fd(&call->server->nodes, call->node), file;

    if (folder < 0)
        return folder;
    file = openat(folder, ".",
                  (int)(in->flags & (O_ACCMODE | O_APPEND | O_EXCL)) | O_TMPFILE | O_CLOEXEC,
                  in->mode & MODES);
    return file >= 0 ? hand_out_new(call, NULL, NULL, file) : -errno;
}
