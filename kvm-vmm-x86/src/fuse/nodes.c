/* The files that a guest knows; see nodes.h. */
#include "fuse/nodes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuse/reach.h"

_Static_assert(FUSE_NODES_FIRST == FUSE_ROOT_ID + 1, "linux/fuse.h");
enum { DEPTH_MAX = 1024 };

/* --- with the lock held --- */

struct fuse_node **fuse_nodes_chain(struct fuse_nodes *nodes, dev_t dev, ino_t ino)
{
    uint64_t key = (ino ^ (uint64_t)dev << 32) * UINT64_C(0x9e3779b97f4a7c15);

    return &nodes->hash[key >> 40 & (FUSE_NODE_HASH - 1)];
}

static bool is_same(const struct fuse_node *n, const struct fuse_found *found)
{
    return n->dev == found->status.st_dev && n->ino == found->status.st_ino &&
           n->type == (found->status.st_mode & S_IFMT) &&
           (n->birth == found->birth || n->birth == 0 || found->birth == 0);
}

static struct fuse_node *find_locked(struct fuse_nodes *nodes, const struct fuse_found *found)
{
    const struct stat *status = &found->status;
    struct fuse_node *n = *fuse_nodes_chain(nodes, status->st_dev, status->st_ino);

    if (status->st_dev == nodes->root.dev && status->st_ino == nodes->root.ino)
        return &nodes->root;
    while (n != NULL && !is_same(n, found))
        n = n->next_same;
    return n;
}

static bool is_listed(const struct fuse_nodes *nodes, const struct fuse_node *n)
{
    return n->older != NULL || n->newer != NULL || nodes->oldest == n;
}

static void unlist_locked(struct fuse_nodes *nodes, struct fuse_node *n)
{
    if (!is_listed(nodes, n))
        return;
    *(n->older != NULL ? &n->older->newer : &nodes->oldest) = n->newer;
    *(n->newer != NULL ? &n->newer->older : &nodes->newest) = n->older;
    n->older = n->newer = NULL;
}

static void list_locked(struct fuse_nodes *nodes, struct fuse_node *n)
{
    n->older = nodes->newest;
    *(n->older != NULL ? &n->older->newer : &nodes->oldest) = n;
    nodes->newest = n;
}

static void close_locked(struct fuse_nodes *nodes, struct fuse_node *n)
{
    unlist_locked(nodes, n);
    if (n->fd >= 0) {
        close(n->fd); /* closing an O_PATH descriptor does not block */
        nodes->open--;
    }
    n->fd = -1;
}

/* Stores the node's descriptor, and closes the oldest one if there are too many. */
static void install_locked(struct fuse_nodes *nodes, struct fuse_node *n, int fd)
{
    if (nodes->open >= nodes->open_max && nodes->oldest != NULL)
        close_locked(nodes, nodes->oldest);
    n->fd = fd;
    nodes->open++;
}

static void pin_locked(struct fuse_nodes *nodes, struct fuse_node *n)
{
    if (n->pins++ == 0)
        unlist_locked(nodes, n);
}

/* Frees a node that is not used any more, and then the folders that were kept only for it. */
static void release_locked(struct fuse_nodes *nodes, struct fuse_node *n)
{
    while (n != NULL && n != &nodes->root && n->lookups == 0 && n->pins == 0 && n->children == 0) {
        struct fuse_node **at = fuse_nodes_chain(nodes, n->dev, n->ino), *folder = n->folder;
        uint32_t slot = (uint32_t)n->id;

        while (*at != n)
            at = &(*at)->next_same;
        *at = n->next_same;
        close_locked(nodes, n);
        nodes->slots[slot].node = NULL;
        nodes->slots[slot].next_free = nodes->free_slot;
        nodes->free_slot = slot;
        free(n->name);
        free(n);
        if (folder != NULL)
            folder->children--;
        n = folder;
    }
}

static void unpin_locked(struct fuse_nodes *nodes, struct fuse_node *n)
{
    if (--n->pins == 0 && n->fd >= 0 && n != &nodes->root)
        list_locked(nodes, n);
    release_locked(nodes, n);
}

/* 0: no slot is left. */
static uint32_t take_slot_locked(struct fuse_nodes *nodes)
{
    uint32_t slot = nodes->free_slot, room = nodes->slot_room * 2;
    struct fuse_slot *more;

    if (slot != 0) {
        nodes->free_slot = nodes->slots[slot].next_free;
        return slot;
    }
    if (nodes->slot_count == FUSE_NODES_MAX)
        return 0;
    if (nodes->slot_count == nodes->slot_room) {
        more = realloc(nodes->slots, room * sizeof *more);
        if (more == NULL)
            return 0;
        nodes->slots = more;
        nodes->slot_room = room;
    }
    nodes->slots[nodes->slot_count] = (struct fuse_slot){.generation = nodes->first_generation};
    return nodes->slot_count++;
}

/* Sets the folder and name under which the node was last seen. Takes `name`, from malloc. */
static void place_locked(struct fuse_nodes *nodes, struct fuse_node *n, struct fuse_node *folder,
                         char *name)
{
    struct fuse_node *before = n->folder;

    if (n == &nodes->root || n == folder) {
        free(name);
        return;
    }
    free(n->name);
    n->name = name;
    n->folder = folder;
    if (folder != NULL)
        folder->children++;
    if (before != NULL) {
        before->children--;
        release_locked(nodes, before);
    }
}

static struct fuse_node *add_locked(struct fuse_nodes *nodes, const struct fuse_found *found)
{
    struct fuse_node *n = calloc(1, sizeof *n), **chain;
    uint32_t slot = n == NULL ? 0 : take_slot_locked(nodes);

    if (slot == 0) {
        free(n);
        return NULL;
    }
    *n = (struct fuse_node){.id = slot | (uint64_t)++nodes->slots[slot].generation << 32,
                            .dev = found->status.st_dev,
                            .ino = found->status.st_ino,
                            .birth = found->birth,
                            .type = found->status.st_mode & S_IFMT,
                            .fd = -1};
    nodes->slots[slot].node = n;
    chain = fuse_nodes_chain(nodes, n->dev, n->ino);
    n->next_same = *chain;
    *chain = n;
    return n;
}

/* --- */

int fuse_nodes_open(struct fuse_nodes *nodes, int root, unsigned open_max, struct error *error)
{
    struct stat status;

    *nodes = (struct fuse_nodes){
        .open_max = open_max, .slot_count = FUSE_NODES_FIRST, .slot_room = 1024};
    lock_init(&nodes->lock);
    nodes->slots = calloc(nodes->slot_room, sizeof *nodes->slots);
    nodes->hash = calloc(FUSE_NODE_HASH, sizeof(struct fuse_node *));
    if (nodes->slots == NULL || nodes->hash == NULL || fstat(root, &status) < 0) {
        free(nodes->slots);
        free(nodes->hash);
        return error_set(error, "a shared folder: %s", strerror(errno));
    }
    if (fuse_reach_is_machinery(root)) {
        free(nodes->slots);
        free(nodes->hash);
        return error_set(error, "a shared folder may not be in /proc, /sys or the like");
    }
    nodes->root = (struct fuse_node){.id = FUSE_ROOT_ID,
                                     .dev = status.st_dev,
                                     .ino = status.st_ino,
                                     .type = S_IFDIR,
                                     .fd = root};
    nodes->devices[nodes->device_count++] = status.st_dev;
    return 0;
}

void fuse_nodes_forget_all(struct fuse_nodes *nodes)
{
    lock_take(&nodes->lock);
    /* A host that moves folders can make nodes that seem to lie in each other; they would keep each
     * other alive. So first all nodes are taken out of their folders. */
    for (uint32_t i = FUSE_NODES_FIRST; i < nodes->slot_count; i++)
        if (nodes->slots[i].node != NULL) {
            struct fuse_node *n = nodes->slots[i].node;

            n->lookups = 0;
            n->pins++;
        }
    for (uint32_t i = FUSE_NODES_FIRST; i < nodes->slot_count; i++)
        if (nodes->slots[i].node != NULL)
            place_locked(nodes, nodes->slots[i].node, NULL, NULL);
    for (uint32_t i = FUSE_NODES_FIRST; i < nodes->slot_count; i++)
        if (nodes->slots[i].node != NULL) {
            struct fuse_node *n = nodes->slots[i].node;

            unlist_locked(nodes, n);
            unpin_locked(nodes, n);
        }
    lock_release(&nodes->lock);
}

void fuse_nodes_close(struct fuse_nodes *nodes)
{
    fuse_nodes_forget_all(nodes);
    close(nodes->root.fd);
    free(nodes->slots);
    free(nodes->hash);
}

static struct fuse_node *node_locked(struct fuse_nodes *nodes, uint64_t id)
{
    uint32_t slot = (uint32_t)id;
    struct fuse_node *n;

    if (id == FUSE_ROOT_ID)
        return &nodes->root;
    n = slot < FUSE_NODES_FIRST || slot >= nodes->slot_count ? NULL : nodes->slots[slot].node;
    return n != NULL && n->id == id ? n : NULL;
}

struct fuse_node *fuse_node_get(struct fuse_nodes *nodes, uint64_t id)
{
    LOCK_FOR_BLOCK(&nodes->lock);
    struct fuse_node *n = node_locked(nodes, id);

    /* A node that the guest has forgotten is gone, even if another call still uses it. */
    if (n != NULL && (n->lookups > 0 || n == &nodes->root)) {
        pin_locked(nodes, n);
        return n;
    }
    return NULL;
}

void fuse_node_put(struct fuse_nodes *nodes, struct fuse_node *node)
{
    if (node == NULL)
        return;
    lock_take(&nodes->lock);
    unpin_locked(nodes, node);
    lock_release(&nodes->lock);
}

/* Opens the topmost closed folder on the path to `node`, or `node` itself. 0, or a negative errno.
 */
static int reopen_one(struct fuse_nodes *nodes, struct fuse_node *node)
{
    struct fuse_node *n = node, *folder;
    struct fuse_found found;
    char name[256];
    int fd;

    lock_take(&nodes->lock);
    for (int depth = 0; node->fd < 0 && n->folder != NULL && n->folder->fd < 0; depth++) {
        n = depth < DEPTH_MAX ? n->folder : NULL;
        if (n == NULL)
            break;
    }
    folder = n == NULL ? NULL : n->folder;
    if (node->fd >= 0 || folder == NULL) {
        fd = node->fd;
        lock_release(&nodes->lock);
        return fd >= 0 ? 0 : -ESTALE;
    }
    pin_locked(nodes, n);
    pin_locked(nodes, folder);
    snprintf(name, sizeof name, "%s", n->name);
    lock_release(&nodes->lock);

    fd = fuse_reach_open(nodes, folder, folder->fd, name, &found);
    lock_take(&nodes->lock);
    if (fd >= 0 && !is_same(n, &found)) {
        close(fd);
        fd = -ESTALE;
    }
    if (fd >= 0 && n->fd < 0)
        install_locked(nodes, n, fd);
    else if (fd >= 0)
        close(fd);
    unpin_locked(nodes, folder);
    unpin_locked(nodes, n);
    lock_release(&nodes->lock);
    return fd >= 0 ? 0 : fd == -EMFILE || fd == -ENFILE ? fd : -ESTALE;
}

int fuse_node_fd(struct fuse_nodes *nodes, struct fuse_node *node)
{
    int code = 0, fd = -1;

    for (int round = 0; round < DEPTH_MAX && code == 0; round++) {
        lock_take(&nodes->lock);
        fd = node->fd;
        lock_release(&nodes->lock);
        if (fd >= 0)
            return fd;
        code = reopen_one(nodes, node);
    }
    return code != 0 ? code : -ESTALE;
}

/* Enters a file that was looked up. Takes `fd` and `name`. */
static int know(struct fuse_nodes *nodes, struct fuse_node *folder, char *name, int fd,
                const struct fuse_found *found, uint64_t *id)
{
    struct fuse_node *n;

    lock_take(&nodes->lock);
    n = find_locked(nodes, found);
    if (n == NULL)
        n = add_locked(nodes, found);
    if (n == NULL) {
        lock_release(&nodes->lock);
        close(fd);
        free(name);
        return -ENFILE;
    }
    pin_locked(nodes, n);
    n->lookups++;
    *id = n->id;
    if (n->fd < 0)
        install_locked(nodes, n, fd);
    else
        close(fd);
    if (folder != NULL)
        place_locked(nodes, n, folder, name);
    unpin_locked(nodes, n);
    lock_release(&nodes->lock);
    return 0;
}

int fuse_node_lookup(struct fuse_nodes *nodes, struct fuse_node *folder, const char *name,
                     uint64_t *id, struct stat *status)
{
    int from = fuse_node_fd(nodes, folder), fd;
    struct fuse_found found;
    char *kept;

    if (from < 0)
        return from;
    fd = fuse_reach_open(nodes, folder, from, name, &found);
    if (fd < 0)
        return fd;
    kept = strdup(name);
    if (kept == NULL) {
        close(fd);
        return -ENOMEM;
    }
    *status = found.status;
    return know(nodes, folder, kept, fd, &found, id);
}

int fuse_node_adopt(struct fuse_nodes *nodes, struct fuse_node *folder, const char *name, int file,
                    uint64_t *id, struct stat *status)
{
    char path[32], *kept = name != NULL ? strdup(name) : NULL;
    struct fuse_found found;
    int fd;

    if (name != NULL && kept == NULL)
        return -ENOMEM;
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0 || fuse_reach_look(fd, &found) < 0) {
        int code = -errno;

        if (fd >= 0)
            close(fd);
        free(kept);
        return code;
    }
    *status = found.status;
    return know(nodes, folder, kept, fd, &found, id);
}

void fuse_node_forget(struct fuse_nodes *nodes, uint64_t id, uint64_t count)
{
    LOCK_FOR_BLOCK(&nodes->lock);
    struct fuse_node *n = node_locked(nodes, id);

    if (n == NULL || n == &nodes->root)
        return;
    n->lookups -= count < n->lookups ? count : n->lookups;
    release_locked(nodes, n);
}

void fuse_node_moved(struct fuse_nodes *nodes, struct fuse_node *folder, const char *name)
{
    int from = fuse_node_fd(nodes, folder);
    char *kept = strdup(name);
    struct fuse_found found;
    struct fuse_node *n;

    if (from < 0 || kept == NULL || fuse_reach_look_at(from, name, &found) < 0) {
        free(kept);
        return;
    }
    lock_take(&nodes->lock);
    n = find_locked(nodes, &found);
    if (n != NULL) {
        n->pins++;
        place_locked(nodes, n, folder, kept);
        n->pins--;
    } else {
        free(kept);
    }
    lock_release(&nodes->lock);
}
