/* A FUSE server's state in a snapshot; see server.h. Numbers are little-endian, as in all saved
 * state. Inodes are compared when a file is needed (nodes.c), so only files that the guest has open
 * are opened here. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuse/call.h"

enum { VERSION = 2, NAME_MAX_SIZE = 255 };

struct saved_server {
    uint32_t version, device_count;
    uint32_t node_count, handle_count;
    /* generations that come next, so that no ID is used twice */
    uint32_t node_generation, handle_generation;
};

/* A saved node; its name follows. */
struct saved_node {
    uint64_t id, folder; /* folder 0: it has no name */
    uint64_t dev, ino, birth, lookups;
    uint32_t type, name_size;
};

struct saved_handle {
    uint64_t id, node;
    uint32_t flags, folder;
};

/* --- saving --- */

struct bytes {
    uint8_t *at;
    size_t used, room;
};

static void put(struct bytes *to, const void *from, size_t size)
{
    memcpy(to->at + to->used, from, size);
    to->used += size;
}

static size_t size_of(const struct fuse_server *s)
{
    size_t size = sizeof(struct saved_server) + sizeof(uint64_t) * FUSE_DEVICES_MAX +
                  s->handles.max * sizeof(struct saved_handle);

    for (uint32_t i = FUSE_NODES_FIRST; i < s->nodes.slot_count; i++)
        size += sizeof(struct saved_node) + NAME_MAX_SIZE;
    return size;
}

static void put_nodes(struct bytes *to, struct saved_server *header, const struct fuse_nodes *nodes)
{
    header->node_generation = nodes->first_generation;
    for (uint32_t i = FUSE_NODES_FIRST; i < nodes->slot_count; i++) {
        const struct fuse_node *n = nodes->slots[i].node;
        struct saved_node saved;
        size_t size = n == NULL || n->name == NULL ? 0 : strlen(n->name);

        if (nodes->slots[i].generation > header->node_generation)
            header->node_generation = nodes->slots[i].generation;
        if (n == NULL)
            continue;
        if (size > NAME_MAX_SIZE)
            size = 0; /* some file systems have longer names; other nodes may be in it */
        saved = (struct saved_node){.id = n->id,
                                    .folder = size > 0 ? n->folder->id : 0,
                                    .dev = n->dev,
                                    .ino = n->ino,
                                    .birth = n->birth,
                                    .lookups = n->lookups,
                                    .type = n->type,
                                    .name_size = (uint32_t)size};
        put(to, &saved, sizeof saved);
        if (size > 0)
            put(to, n->name, size);
        header->node_count++;
    }
}

static void put_handles(struct bytes *to, struct saved_server *header, struct fuse_server *s)
{
    for (uint32_t i = 0; i < s->handles.max; i++) {
        const struct fuse_handle_slot *slot = &s->handles.slots[i];
        struct saved_handle saved = {.id = i | (uint64_t)slot->generation << 32};
        int flags;

        if (slot->generation > header->handle_generation)
            header->handle_generation = slot->generation;
        if (slot->handle == NULL)
            continue;
        flags = fcntl(slot->handle->fd, F_GETFL);
        saved.node = flags < 0 ? 0 : slot->handle->node;
        saved.flags = flags < 0 ? 0 : (uint32_t)flags;
        saved.folder = slot->handle->folder;
        put(to, &saved, sizeof saved);
        header->handle_count++;
    }
}

uint8_t *fuse_server_save(struct fuse_server *server, size_t *size)
{
    struct saved_server header = {.version = VERSION};
    struct bytes to = {0};

    lock_take(&server->nodes.lock);
    lock_take(&server->handles.lock);
    to.at = malloc(size_of(server));
    if (to.at != NULL) {
        header.device_count = server->nodes.device_count;
        to.used = sizeof header;
        for (unsigned i = 0; i < header.device_count; i++)
            put(&to, &(uint64_t){server->nodes.devices[i]}, sizeof(uint64_t));
        put_nodes(&to, &header, &server->nodes);
        put_handles(&to, &header, server);
        memcpy(to.at, &header, sizeof header);
    }
    lock_release(&server->handles.lock);
    lock_release(&server->nodes.lock);
    *size = to.used;
    return to.at;
}

/* --- loading --- */

struct input {
    const uint8_t *at;
    size_t left;
};

static bool take(struct input *in, void *to, size_t size)
{
    if (size > in->left)
        return false;
    memcpy(to, in->at, size);
    in->at += size;
    in->left -= size;
    return true;
}

static int damaged(struct error *error)
{
    return error_set(error, "the saved state of a shared folder is damaged");
}

/* Whether this is one component of a path, and neither "." nor "..". */
static bool is_name(const uint8_t *name, size_t size)
{
    return size > 0 && size <= NAME_MAX_SIZE && memchr(name, '\0', size) == NULL &&
           memchr(name, '/', size) == NULL && !(size == 1 && name[0] == '.') &&
           !(size == 2 && memcmp(name, "..", 2) == 0);
}

static bool node_can_be(const struct saved_node *n, const uint8_t *name)
{
    uint32_t slot = (uint32_t)n->id;

    return slot >= FUSE_NODES_FIRST && slot < FUSE_NODES_MAX && n->id >> 32 != 0 &&
           n->folder != n->id && (n->type & ~(uint32_t)S_IFMT) == 0 && n->type != 0 &&
           (n->folder == 0 ? n->name_size == 0 : is_name(name, n->name_size));
}

/* Makes slots up to `last`, with the next generation, and links them into the list of free ones. */
static bool make_slots(struct fuse_nodes *nodes, uint32_t last, uint32_t generation)
{
    uint32_t room = last + 1 > nodes->slot_room ? last + 1 : nodes->slot_room;
    struct fuse_slot *slots = calloc(room, sizeof *slots);

    if (slots == NULL)
        return false;
    free(nodes->slots);
    nodes->slots = slots;
    nodes->slot_room = room;
    nodes->slot_count = last + 1;
    nodes->first_generation = generation;
    for (uint32_t i = 0; i < nodes->slot_count; i++)
        slots[i].generation = generation;
    return true;
}

static void list_free_slots(struct fuse_nodes *nodes)
{
    for (uint32_t i = nodes->slot_count; i-- > FUSE_NODES_FIRST;)
        if (nodes->slots[i].node == NULL) {
            nodes->slots[i].next_free = nodes->free_slot;
            nodes->free_slot = i;
        }
}

static int add_node(struct fuse_nodes *nodes, const struct saved_node *saved, const uint8_t *name,
                    struct error *error)
{
    uint32_t slot = (uint32_t)saved->id;
    struct fuse_node *n, **chain;

    if (nodes->slots[slot].node != NULL)
        return damaged(error);
    n = calloc(1, sizeof *n);
    if (n == NULL)
        return error_set(error, "out of memory");
    *n = (struct fuse_node){.id = saved->id,
                            .dev = saved->dev,
                            .ino = saved->ino,
                            .birth = saved->birth,
                            .type = saved->type,
                            .fd = -1,
                            .lookups = saved->lookups};
    nodes->slots[slot].node = n;
    nodes->slots[slot].generation = (uint32_t)(saved->id >> 32);
    chain = fuse_nodes_chain(nodes, n->dev, n->ino);
    n->next_same = *chain;
    *chain = n;
    if (saved->folder == 0)
        return 0;
    n->name = strndup((const char *)name, saved->name_size);
    return n->name != NULL ? 0 : error_set(error, "out of memory");
}

/* Puts the node into its folder. A second pass, because the folder may be saved after the node. */
static int place_node(struct fuse_nodes *nodes, const struct saved_node *saved, struct error *error)
{
    struct fuse_node *n = nodes->slots[(uint32_t)saved->id].node, *folder;
    uint32_t slot = (uint32_t)saved->folder;

    if (saved->folder == 0)
        return 0;
    folder = saved->folder == FUSE_ROOT_ID                          ? &nodes->root
             : slot < FUSE_NODES_FIRST || slot >= nodes->slot_count ? NULL
                                                                    : nodes->slots[slot].node;
    if (folder == NULL || folder->id != saved->folder)
        return damaged(error);
    n->folder = folder;
    folder->children++;
    return 0;
}

/* The device number of a file system may have changed: btrfs, tmpfs, overlay and 9p get theirs when
 * they are mounted. Only the new number of the shared folder itself is known. */
static uint64_t renumber(const struct fuse_nodes *nodes, uint64_t device, uint64_t was)
{
    return device == was ? nodes->root.dev : device == nodes->root.dev ? was : device;
}

/* Reads the same bytes three times: for the slots, the nodes, and their folders. */
static int load_nodes(struct fuse_nodes *nodes, const struct saved_server *header, uint64_t was,
                      struct input *in, struct error *error)
{
    uint32_t last = FUSE_NODES_FIRST;
    struct saved_node saved;

    for (unsigned pass = 0; pass < 3; pass++) {
        struct input from = *in;

        for (uint32_t i = 0; i < header->node_count; i++) {
            int result = 0;

            if (!take(&from, &saved, sizeof saved) || saved.name_size > from.left ||
                !node_can_be(&saved, from.at))
                return damaged(error);
            saved.dev = renumber(nodes, saved.dev, was);
            if (pass == 0)
                last = (uint32_t)saved.id > last ? (uint32_t)saved.id : last;
            else
                result = pass == 1 ? add_node(nodes, &saved, from.at, error)
                                   : place_node(nodes, &saved, error);
            if (result < 0)
                return -1;
            from.at += saved.name_size;
            from.left -= saved.name_size;
        }
        if (pass == 0 && !make_slots(nodes, last, header->node_generation))
            return error_set(error, "out of memory");
        if (pass == 2)
            *in = from;
    }
    list_free_slots(nodes);
    return 0;
}

/* Opens a file again as the guest had opened it, but never truncates it. */
static bool open_again(struct fuse_server *s, const struct saved_handle *saved)
{
    struct fuse_call call = {.server = s, .node = fuse_node_get(&s->nodes, saved->node)};
    mode_t type = saved->folder ? S_IFDIR : S_IFREG;
    uint32_t slot = (uint32_t)saved->id;
    int fd = -ESTALE;

    if (slot < s->handles.max && s->handles.slots[slot].handle == NULL && call.node != NULL &&
        call.node->type == type)
        fd = fuse_node_fd(&s->nodes, call.node);
    if (fd >= 0)
        fd = fuse_open_node(&call, fd, type, saved->flags & (O_ACCMODE | O_APPEND | O_SYNC));
    fuse_node_put(&s->nodes, call.node);
    return fd >= 0 &&
           fuse_handle_put_back(&s->handles, fd, saved->node, saved->folder != 0, saved->id) == 0;
}

int fuse_server_load(struct fuse_server *server, const uint8_t *bytes, size_t size, unsigned *lost,
                     struct error *error)
{
    struct input in = {.at = bytes, .left = size};
    struct saved_server header;
    uint64_t device, was = 0;

    *lost = 0;
    if (!take(&in, &header, sizeof header))
        return damaged(error);
    if (header.version != VERSION)
        return error_set(error, "the saved state of a shared folder is of version %u, not %u",
                         header.version, VERSION);
    if (header.device_count == 0 || header.device_count > FUSE_DEVICES_MAX)
        return damaged(error);
    for (uint32_t i = 0; i < header.device_count; i++) {
        if (!take(&in, &device, sizeof device))
            return damaged(error);
        was = i == 0 ? device : was; /* the shared folder's old number */
        server->nodes.devices[i] = renumber(&server->nodes, device, was);
    }
    server->nodes.device_count = header.device_count;
    if (load_nodes(&server->nodes, &header, was, &in, error) < 0)
        return -1;
    if (header.handle_count > in.left / sizeof(struct saved_handle))
        return damaged(error);
    for (uint32_t i = 0; i < server->handles.max; i++)
        server->handles.slots[i].generation = header.handle_generation;
    for (uint32_t i = 0; i < header.handle_count; i++) {
        struct saved_handle saved;

        if (!take(&in, &saved, sizeof saved))
            return damaged(error);
        if (!open_again(server, &saved))
            ++*lost;
    }
    return in.left == 0 ? 0 : damaged(error);
}
