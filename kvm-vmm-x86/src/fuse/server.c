/* The FUSE server: its session, and the table of its operations; see server.h. */
#include "fuse/server.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "fuse/call.h"

_Static_assert(sizeof(struct fuse_in_header) == FUSE_HEADER_SIZE, "linux/fuse.h");
_Static_assert(sizeof(struct fuse_out_header) == FUSE_REPLY_HEADER_SIZE, "linux/fuse.h");

static int start(struct fuse_call *call)
{
    const struct fuse_init_in *in = fuse_take(call, 16); /* without the fields of newer versions */
    struct fuse_init_out *out = fuse_reply(call, sizeof *out);
    uint32_t offered = FUSE_ASYNC_READ | FUSE_ATOMIC_O_TRUNC | FUSE_BIG_WRITES |
                       FUSE_DO_READDIRPLUS | FUSE_READDIRPLUS_AUTO | FUSE_ASYNC_DIO |
                       FUSE_PARALLEL_DIROPS | FUSE_HANDLE_KILLPRIV_V2 | FUSE_MAX_PAGES |
                       FUSE_CACHE_SYMLINKS | FUSE_AUTO_INVAL_DATA | FUSE_ABORT_ERROR;

    if (in == NULL)
        return -EINVAL;
    out->major = FUSE_KERNEL_VERSION;
    out->minor = FUSE_KERNEL_MINOR_VERSION;
    if (in->major > FUSE_KERNEL_VERSION)
        return 0; /* the guest sends INIT again, with our version */
    if (in->major < FUSE_KERNEL_VERSION || in->minor < 31)
        return -EPROTO;
    fuse_handles_forget_all(&call->server->handles);
    fuse_nodes_forget_all(&call->server->nodes);
    out->max_readahead = in->max_readahead;
    out->flags = in->flags & offered;
    out->max_background = 64;
    out->congestion_threshold = 48;
    out->max_write = FUSE_TRANSFER_MAX;
    out->time_gran = 1;
    out->max_pages = FUSE_TRANSFER_MAX / 4096;
    return 0;
}

static int end_session(struct fuse_call *call)
{
    fuse_handles_forget_all(&call->server->handles);
    fuse_nodes_forget_all(&call->server->nodes);
    return 0;
}

static int forget(struct fuse_call *call)
{
    const struct fuse_forget_in *in = fuse_take(call, sizeof *in);

    if (in != NULL)
        fuse_node_forget(&call->server->nodes, call->header.nodeid, in->nlookup);
    return 0;
}

static int forget_batch(struct fuse_call *call)
{
    const struct fuse_batch_forget_in *in = fuse_take(call, sizeof *in);
    const struct fuse_forget_one *one;

    for (uint32_t i = 0; in != NULL && i < in->count; i++) {
        one = fuse_take(call, sizeof *one);
        if (one == NULL)
            break; /* the count is larger than the request */
        fuse_node_forget(&call->server->nodes, one->nodeid, one->nlookup);
    }
    return 0;
}

static int ignore(struct fuse_call *call)
{
    (void)call;
    return 0;
}

enum {
    NO_NODE = 1,  /* is not about a node */
    NO_REPLY = 2, /* the guest expects no reply */
    CHANGES = 4   /* refused if the share is read-only */
};

struct entry {
    fuse_operation *carry_out;
    unsigned flags;
};

static const struct entry operations[] = {
    [FUSE_INIT] = {start, NO_NODE},
    [FUSE_DESTROY] = {end_session, NO_NODE},
    [FUSE_FORGET] = {forget, NO_NODE | NO_REPLY},
    [FUSE_BATCH_FORGET] = {forget_batch, NO_NODE | NO_REPLY},
    [FUSE_INTERRUPT] = {ignore, NO_NODE | NO_REPLY},
    [FUSE_LOOKUP] = {fuse_lookup, 0},
    [FUSE_MKNOD] = {fuse_mknod, CHANGES},
    [FUSE_MKDIR] = {fuse_mkdir, CHANGES},
    [FUSE_SYMLINK] = {fuse_symlink, CHANGES},
    [FUSE_UNLINK] = {fuse_unlink, CHANGES},
    [FUSE_RMDIR] = {fuse_rmdir, CHANGES},
    [FUSE_RENAME] = {fuse_rename, CHANGES},
    [FUSE_RENAME2] = {fuse_rename2, CHANGES},
    [FUSE_LINK] = {fuse_link, CHANGES},
    [FUSE_CREATE] = {fuse_create, CHANGES},
    [FUSE_TMPFILE] = {fuse_tmpfile, CHANGES},
    [FUSE_GETATTR] = {fuse_getattr, 0},
    [FUSE_SETATTR] = {fuse_setattr, CHANGES},
    [FUSE_READLINK] = {fuse_readlink, 0},
    [FUSE_STATFS] = {fuse_statfs, 0},
    [FUSE_ACCESS] = {fuse_access, 0},
    [FUSE_SETXATTR] = {fuse_setxattr, CHANGES},
    [FUSE_GETXATTR] = {fuse_getxattr, 0},
    [FUSE_LISTXATTR] = {fuse_listxattr, 0},
    [FUSE_REMOVEXATTR] = {fuse_removexattr, CHANGES},
    [FUSE_OPEN] = {fuse_open, 0},
    [FUSE_READ] = {fuse_read, NO_NODE},
    [FUSE_WRITE] = {fuse_write, NO_NODE | CHANGES},
    [FUSE_FLUSH] = {fuse_flush, NO_NODE},
    [FUSE_FSYNC] = {fuse_fsync, NO_NODE},
    [FUSE_RELEASE] = {fuse_release, NO_NODE},
    [FUSE_FALLOCATE] = {fuse_fallocate, NO_NODE | CHANGES},
    [FUSE_LSEEK] = {fuse_lseek, NO_NODE},
    [FUSE_COPY_FILE_RANGE] = {fuse_copy_file_range, NO_NODE | CHANGES},
    [FUSE_OPENDIR] = {fuse_opendir, 0},
    [FUSE_READDIR] = {fuse_readdir, 0},
    [FUSE_READDIRPLUS] = {fuse_readdirplus, 0},
    [FUSE_RELEASEDIR] = {fuse_release, NO_NODE},
    [FUSE_FSYNCDIR] = {fuse_fsyncdir, NO_NODE},
    [FUSE_SYNCFS] = {fuse_syncfs, CHANGES},
};

enum { OPERATIONS = sizeof operations / sizeof operations[0] };

static int carry_out(struct fuse_call *call, uint32_t opcode)
{
    unsigned flags = operations[opcode].flags;
    int code;

    if ((flags & CHANGES) && call->server->read_only)
        return -EROFS;
    if (!(flags & NO_NODE)) {
        call->node = fuse_node_get(&call->server->nodes, call->header.nodeid);
        if (call->node == NULL)
            return -ESTALE;
    }
    code = operations[opcode].carry_out(call);
    fuse_node_put(&call->server->nodes, call->node);
    return code;
}

static void reply(struct fuse_call *call, int code)
{
    struct fuse_request *r = call->request;
    struct fuse_out_header header = {.error = code, .unique = call->header.unique};

    if (code != 0) {
        call->used = 0;
        r->moved = 0;
    }
    r->out_size = sizeof header + call->used;
    header.len = (uint32_t)(r->out_size + r->moved);
    memcpy(r->out, &header, sizeof header);
}

void fuse_server_serve(struct fuse_server *server, struct fuse_request *r)
{
    struct fuse_call call = {.server = server,
                             .request = r,
                             .at = r->in + FUSE_HEADER_SIZE,
                             .out = r->out + FUSE_REPLY_HEADER_SIZE};
    uint32_t opcode;
    int code;

    r->out_size = 0;
    r->moved = 0;
    if (r->in_size < FUSE_HEADER_SIZE)
        return;
    memcpy(&call.header, r->in, sizeof call.header);
    call.left = r->in_size - FUSE_HEADER_SIZE;
    opcode = call.header.opcode;
    if (opcode >= OPERATIONS || operations[opcode].carry_out == NULL) {
        reply(&call, -ENOSYS);
        return;
    }
    code = carry_out(&call, opcode);
    if (!(operations[opcode].flags & NO_REPLY))
        reply(&call, code);
}

size_t fuse_server_arguments(const uint8_t *header, size_t size)
{
    struct fuse_in_header h;
    size_t arguments = FUSE_HEADER_SIZE + sizeof(struct fuse_write_in);

    memcpy(&h, header, sizeof h);
    return h.opcode == FUSE_WRITE && size > arguments ? arguments : size;
}

void fuse_server_enter_thread(void)
{
    /* All threads of a process share the umask, unless a thread has its own by unshare. */
    if (unshare(CLONE_FS) == 0)
        umask(0);
    fuse_keep_set_id(false);
}

static bool hide_one(struct fuse_hidden *hidden, const char *path)
{
    size_t length = strlen(path), at;
    struct stat status;

    *hidden = (struct fuse_hidden){0};
    if (stat(path, &status) == 0)
        *hidden = (struct fuse_hidden){.dev = status.st_dev, .ino = status.st_ino};
    while (length > 0 && path[length - 1] == '/')
        length--;
    for (at = length; at > 0 && path[at - 1] != '/';)
        at--;
    if (at == length)
        return true;
    /* The folder's path ends in `.`: for `/x` it is `/.`, for `x` it is `.` */
    hidden->folder = malloc(length + 3);
    if (hidden->folder == NULL)
        return false;
    hidden->name = hidden->folder + at + 2;
    memcpy(hidden->folder, path, at);
    memcpy(hidden->folder + at, ".", 2);
    memcpy(hidden->name, path + at, length - at);
    hidden->name[length - at] = '\0';
    return true;
}

static void show_all(struct fuse_server *server)
{
    for (unsigned i = 0; i < server->nodes.hidden_count; i++)
        free(server->hidden[i].folder);
    free(server->hidden);
}

/* Hides the files by inode, as they are at the start, under all their names; and hides the names.
 */
static int hide(struct fuse_server *server, const struct fuse_options *options, struct error *error)
{
    server->hidden = calloc(options->hidden_count + 1, sizeof *server->hidden);
    for (unsigned i = 0; server->hidden != NULL && i < options->hidden_count; i++) {
        if (!hide_one(&server->hidden[i], options->hidden[i])) {
            show_all(server);
            server->hidden = NULL;
            break;
        }
        server->nodes.hidden_count++;
    }
    server->nodes.hidden = server->hidden;
    return server->hidden != NULL ? 0 : error_set(error, "out of memory for a shared folder");
}

struct fuse_server *fuse_server_open(const struct fuse_options *options, struct error *error)
{
    struct fuse_server *server = calloc(1, sizeof *server);
    int root = open(options->path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (server == NULL || root < 0) {
        error_set(error, "--share %s: %s", options->path, strerror(errno));
        goto failed;
    }
    server->read_only = options->read_only;
    server->lasting = options->lasting;
    server->user = geteuid();
    server->group = getegid();
    server->privileged = server->user == 0;
    if (fuse_nodes_open(&server->nodes, root, options->descriptors / 2, error) < 0)
        goto failed;
    if (fuse_handles_open(&server->handles, options->descriptors / 2, error) == 0) {
        if (hide(server, options, error) == 0)
            return server;
        fuse_handles_close(&server->handles);
    }
    fuse_nodes_close(&server->nodes);
    root = -1;
failed:
    if (root >= 0)
        close(root);
    free(server);
    return NULL;
}

void fuse_server_leave(struct fuse_server *server)
{
    fuse_handles_leave(&server->handles);
}

void fuse_server_close(struct fuse_server *server)
{
    if (server == NULL)
        return;
    fuse_handles_close(&server->handles);
    fuse_nodes_close(&server->nodes);
    show_all(server);
    free(server);
}
