/* One FUSE request while it is carried out; for the files of this folder. */
#ifndef FUSE_CALL_H
#define FUSE_CALL_H

#include <linux/fuse.h>
#include <sys/stat.h>

#include "fuse/handles.h"
#include "fuse/nodes.h"
#include "fuse/server.h"

struct fuse_server {
    struct fuse_nodes nodes;
    struct fuse_handles handles;
    struct fuse_hidden *hidden;
    bool read_only, lasting;
    bool privileged; /* the VMM is root: owners are kept */
    uid_t user;
    gid_t group;
};

struct fuse_call {
    struct fuse_server *server;
    struct fuse_request *request;
    struct fuse_in_header header;
    const uint8_t *at; /* arguments that were not taken yet */
    size_t left;
    uint8_t *out; /* the reply behind its header */
    size_t used;
    struct fuse_node *node; /* which the request is about; pinned */
};

/* An operation: 0, with the reply in `out`, or a negative errno. */
typedef int fuse_operation(struct fuse_call *call);

/* The next argument, a structure of `size` bytes; NULL if the request is shorter. Structures come
 * before names. */
const void *fuse_take(struct fuse_call *call, size_t size);
/* A string of at most PATH_MAX bytes; NULL if it has no end. */
const char *fuse_take_string(struct fuse_call *call);
/* A single component. 0 or a negative errno. */
int fuse_take_name(struct fuse_call *call, const char **name);

/* Room in the reply for `size` bytes, zeroes; there is enough for any structure. */
void *fuse_reply(struct fuse_call *call, size_t size);
void fuse_fill_attributes(struct fuse_call *call, const struct stat *status,
                          struct fuse_attr *attr);
void fuse_fill_entry(struct fuse_call *call, uint64_t id, const struct stat *status,
                     struct fuse_entry_out *out);
uint64_t fuse_valid(const struct fuse_server *server); /* seconds */

/* The host's owner for one that the guest names; false if it may not be given away. */
bool fuse_map_owner(const struct fuse_server *server, uint32_t *user, uint32_t *group);

/* A unique number for each file of up to 64 file systems, whose inode numbers are below 2^56. */
uint64_t fuse_file_number(struct fuse_nodes *nodes, dev_t dev, ino_t ino);

/* A path that opens a descriptor's file again. */
struct fuse_path {
    char text[32];
};
struct fuse_path fuse_path_of(int fd);

/* Opens the call's node, a file or folder; a descriptor or a negative errno. */
int fuse_open_node(struct fuse_call *call, int fd, mode_t type, uint32_t flags);
/* Clears O_NONBLOCK, with which the file was opened: some file systems (9p) would read less than is
 * there. */
int fuse_may_wait(int file);
/* Clears the set-user-id and set-group-id bits, as a write by a plain user does. */
void fuse_drop_privileges_of(int file);
/* Whether the host lets the calling thread, of a VMM of root's, leave those bits in files that it
 * writes to (CAP_FSETID). */
void fuse_keep_set_id(bool keep);
/* Looks `name` up in the call's node and replies with what is there. */
int fuse_reply_entry(struct fuse_call *call, const char *name);

fuse_operation fuse_lookup, fuse_mknod, fuse_mkdir, fuse_symlink, fuse_unlink, fuse_rmdir,
    fuse_rename, fuse_rename2, fuse_link, fuse_create, fuse_tmpfile;
fuse_operation fuse_getattr, fuse_setattr, fuse_readlink, fuse_statfs, fuse_access, fuse_setxattr,
    fuse_getxattr, fuse_listxattr, fuse_removexattr;
fuse_operation fuse_open, fuse_read, fuse_write, fuse_flush, fuse_fsync, fuse_release,
    fuse_fallocate, fuse_lseek, fuse_copy_file_range;
fuse_operation fuse_opendir, fuse_readdir, fuse_readdirplus, fuse_fsyncdir, fuse_syncfs;

#endif
