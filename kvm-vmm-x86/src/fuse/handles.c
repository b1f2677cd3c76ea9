/* The files that a guest has open; see handles.h. */
#include "fuse/handles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int fuse_handles_open(struct fuse_handles *handles, unsigned max, struct error *error)
{
    *handles = (struct fuse_handles){.max = max};
    lock_init(&handles->lock);
    handles->slots = calloc(max, sizeof *handles->slots);
    return handles->slots != NULL ? 0 : error_set(error, "out of memory for a shared folder");
}

/* Returns a handle to close, or NULL. The caller closes it without the lock, because closing may
 * block on a file system. */
static struct fuse_handle *take_out_locked(struct fuse_handles *h, uint32_t slot)
{
    struct fuse_handle *handle = h->slots[slot].handle;

    if (handle == NULL)
        return NULL;
    h->slots[slot].handle = NULL;
    h->count--;
    handle->closed = true;
    return handle->pins == 0 ? handle : NULL;
}

static void end(struct fuse_handle *handle)
{
    if (handle == NULL)
        return;
    close(handle->fd);
    free(handle);
}

void fuse_handles_forget_all(struct fuse_handles *handles)
{
    for (uint32_t i = 0; i < handles->max; i++) {
        struct fuse_handle *handle;

        lock_take(&handles->lock);
        handle = take_out_locked(handles, i);
        lock_release(&handles->lock);
        end(handle);
    }
}

void fuse_handles_leave(struct fuse_handles *handles)
{
    for (uint32_t i = 0; i < handles->max; i++) {
        struct fuse_handle *handle = handles->slots[i].handle;
        int fd = handle != NULL && handle->folder
                     ? openat(handle->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                     : -1;

        if (fd < 0)
            continue;
        close(handle->fd);
        handle->fd = fd;
    }
}

void fuse_handles_close(struct fuse_handles *handles)
{
    fuse_handles_forget_all(handles);
    free(handles->slots);
}

int fuse_handle_add(struct fuse_handles *handles, int fd, uint64_t node, bool folder, uint64_t *id)
{
    struct fuse_handle *handle = calloc(1, sizeof *handle);
    uint32_t slot;

    if (handle == NULL) {
        close(fd);
        return -ENOMEM;
    }
    handle->fd = fd;
    handle->node = node;
    handle->folder = folder;
    lock_init(&handle->position);
    lock_take(&handles->lock);
    if (handles->count == handles->max) {
        lock_release(&handles->lock);
        end(handle);
        return -ENFILE;
    }
    for (slot = handles->next; handles->slots[slot].handle != NULL;)
        slot = (slot + 1) % handles->max;
    handles->next = (slot + 1) % handles->max;
    handles->count++;
    handles->slots[slot].handle = handle;
    *id = slot | (uint64_t)++handles->slots[slot].generation << 32;
    lock_release(&handles->lock);
    return 0;
}

int fuse_handle_put_back(struct fuse_handles *handles, int fd, uint64_t node, bool folder,
                         uint64_t id)
{
    struct fuse_handle *handle = calloc(1, sizeof *handle);
    uint32_t slot = (uint32_t)id;

    lock_take(&handles->lock);
    if (handle == NULL || slot >= handles->max || handles->slots[slot].handle != NULL) {
        lock_release(&handles->lock);
        close(fd);
        free(handle);
        return -EBADF;
    }
    *handle = (struct fuse_handle){.fd = fd, .node = node, .folder = folder};
    lock_init(&handle->position);
    handles->count++;
    handles->slots[slot] =
        (struct fuse_handle_slot){.handle = handle, .generation = (uint32_t)(id >> 32)};
    lock_release(&handles->lock);
    return 0;
}

static bool is_slot(const struct fuse_handles *h, uint64_t id)
{
    uint32_t slot = (uint32_t)id;

    return slot < h->max && h->slots[slot].handle != NULL &&
           h->slots[slot].generation == (uint32_t)(id >> 32);
}

struct fuse_handle *fuse_handle_get(struct fuse_handles *handles, uint64_t id, bool folder)
{
    LOCK_FOR_BLOCK(&handles->lock);
    struct fuse_handle *handle = is_slot(handles, id) ? handles->slots[(uint32_t)id].handle : NULL;

    if (handle == NULL || handle->folder != folder)
        return NULL;
    handle->pins++;
    return handle;
}

void fuse_handle_put(struct fuse_handles *handles, struct fuse_handle *handle)
{
    bool last;

    if (handle == NULL)
        return;
    lock_take(&handles->lock);
    last = --handle->pins == 0 && handle->closed;
    lock_release(&handles->lock);
    if (last)
        end(handle);
}

void fuse_handle_drop(struct fuse_handles *handles, uint64_t id)
{
    struct fuse_handle *handle = NULL;

    lock_take(&handles->lock);
    if (is_slot(handles, id))
        handle = take_out_locked(handles, (uint32_t)id);
    lock_release(&handles->lock);
    end(handle);
}
