/*
 * The files that a guest knows by number (FUSE's nodeids), and their O_PATH descriptors. A node is
 * found by device, inode and time of birth, so that two names of one file are one node, and has the
 * folder and the name it was last seen under.
 *
 * A process has few descriptors (RLIMIT_NOFILE) and a guest may know a million files: those that
 * were not used for the longest time are closed, and opened again by folder and name when they are
 * needed. What is found there must be the same file; if not, the node is stale (ESTALE).
 *
 * Nothing here leaves the shared folder: a name is a single component, no ".." among them, and no
 * symbolic link is followed. Kernel file systems (proc, sysfs, ...) do not exist for the guest, and
 * neither do hidden files.
 *
 * Any thread may call. The lock is not held over a system call that may wait.
 *
 */
#ifndef FUSE_NODES_H
#define FUSE_NODES_H

#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"
#include "host/threads.h"

enum {
    FUSE_NODES_FIRST = 2, /* slot of the first but the root */
    FUSE_NODES_MAX = 1 << 20,
    FUSE_NODE_HASH = 1 << 14,
    FUSE_DEVICES_MAX = 64
};

struct fuse_node {
    uint64_t id;
    dev_t dev;
    ino_t ino;
    uint64_t birth; /* of reach.h */
    mode_t type;
    int fd; /* O_PATH; -1: closed */
    struct fuse_node *folder;
    char *name;
    uint64_t lookups;                /* how often the guest was told of it, less what it forgot */
    unsigned children;               /* nodes whose folder it is */
    unsigned pins;                   /* calls that use it */
    struct fuse_node *next_same;     /* hash chain */
    struct fuse_node *older, *newer; /* of those open and not pinned */
};

struct fuse_slot {
    struct fuse_node *node;
    uint32_t generation, next_free;
};

/* A path that does not exist for the guest: what was there at the start, by whatever name, and what
 * comes to stand there later. */
struct fuse_hidden {
    dev_t dev; /* 0 and 0: nothing was there */
    ino_t ino;
    char *folder, *name; /* one allocation; NULL: the name alone says nothing (`/`) */
};

struct fuse_nodes {
    struct lock lock; /* protects all but `root` and `hidden` */
    struct fuse_node root;
    const struct fuse_hidden *hidden;
    unsigned hidden_count;
    struct fuse_slot *slots;
    uint32_t slot_count, slot_room, free_slot; /* 0: none is free */
    uint32_t first_generation;                 /* of slots that are added: a guest that was saved
                                                * had more, and its numbers come once */
    struct fuse_node **hash;
    struct fuse_node *oldest, *newest;
    unsigned open, open_max; /* descriptors */
    dev_t devices[FUSE_DEVICES_MAX];
    unsigned device_count;
};

/* `root` is an O_PATH descriptor, the nodes' from now on. */
int fuse_nodes_open(struct fuse_nodes *nodes, int root, unsigned open_max,
                    struct error *error) MUST_CHECK;
void fuse_nodes_close(struct fuse_nodes *nodes);

/* Forgets all nodes; those in use are freed after their last put. */
void fuse_nodes_forget_all(struct fuse_nodes *nodes);

/* Pins a node until fuse_node_put; NULL: no such node. */
struct fuse_node *fuse_node_get(struct fuse_nodes *nodes, uint64_t id);
void fuse_node_put(struct fuse_nodes *nodes, struct fuse_node *node);

/* Its descriptor, good while it is pinned; or a negative errno. */
int fuse_node_fd(struct fuse_nodes *nodes, struct fuse_node *node) MUST_CHECK;

/* Finds a name in a pinned folder: the guest knows it once more. 0 or a negative errno. */
int fuse_node_lookup(struct fuse_nodes *nodes, struct fuse_node *folder, const char *name,
                     uint64_t *id, struct stat *status) MUST_CHECK;
/* The same of a file that was just made, by any descriptor of it: its name may stand for another
 * already, or it has none (O_TMPFILE: `folder` and `name` are NULL). */
int fuse_node_adopt(struct fuse_nodes *nodes, struct fuse_node *folder, const char *name, int file,
                    uint64_t *id, struct stat *status) MUST_CHECK;

void fuse_node_forget(struct fuse_nodes *nodes, uint64_t id, uint64_t count);

/* The file under this name was renamed to it: updates its node. */
void fuse_node_moved(struct fuse_nodes *nodes, struct fuse_node *folder, const char *name);

bool fuse_node_is_hidden(const struct fuse_nodes *nodes, dev_t dev, ino_t ino);
bool fuse_name_is_hidden(const struct fuse_nodes *nodes, const struct fuse_node *folder,
                         const char *name);

/* With the lock held: where nodes of that inode are. */
struct fuse_node **fuse_nodes_chain(struct fuse_nodes *nodes, dev_t dev, ino_t ino);

#endif
