/* The files and folders that a guest has open, by the number it knows them by. Any thread may call.
 */
#ifndef FUSE_HANDLES_H
#define FUSE_HANDLES_H

#include <stdint.h>

#include "base/error.h"
#include "host/threads.h"

struct fuse_handle {
    int fd;
    uint64_t node; /* of this number; the guest may have forgotten it */
    bool folder;
    unsigned pins;        /* calls that use it */
    bool closed;          /* by the guest; freed with its last pin */
    struct lock position; /* of a folder: held while it is read */
};

struct fuse_handle_slot {
    struct fuse_handle *handle;
    uint32_t generation;
};

struct fuse_handles {
    struct lock lock; /* protects what follows */
    struct fuse_handle_slot *slots;
    uint32_t count, max, next; /* `next`: where the search for a free one begins */
};

int fuse_handles_open(struct fuse_handles *handles, unsigned max, struct error *error) MUST_CHECK;
void fuse_handles_close(struct fuse_handles *handles);
/* Closes all that the guest has open. */
void fuse_handles_forget_all(struct fuse_handles *handles);
/* In a copy made by fork(2), whose only thread calls it: opens folders again, because a folder's
 * position is shared with the origin. One that cannot be opened stays shared. */
void fuse_handles_leave(struct fuse_handles *handles);

/* Takes `fd`, of that node. 0 or a negative errno, and then it is closed. */
int fuse_handle_add(struct fuse_handles *handles, int fd, uint64_t node, bool folder,
                    uint64_t *id) MUST_CHECK;
/* The same under a number that it had in another server. 0, or a negative errno: then `fd` is
 * closed. */
int fuse_handle_put_back(struct fuse_handles *handles, int fd, uint64_t node, bool folder,
                         uint64_t id) MUST_CHECK;
/* NULL: no such handle, or it is a folder and not a file, or the reverse. */
struct fuse_handle *fuse_handle_get(struct fuse_handles *handles, uint64_t id, bool folder);
void fuse_handle_put(struct fuse_handles *handles, struct fuse_handle *handle);
void fuse_handle_drop(struct fuse_handles *handles, uint64_t id);

#endif
