/* Shared folders; see session/shares.h. */
#include "session/shares.h"

#include <stdio.h>

#include "fuse/server.h"
#include "host/sandbox/landlock.h"

static int open_one(struct share_config *share, unsigned descriptors, struct error *error)
{
    char path[4096];
    struct fuse_options options = {.path = path,
                                   .read_only = share->read_only,
                                   .lasting = share->lasting,
                                   .hidden = share->hidden,
                                   .hidden_count = share->hidden_count,
                                   .descriptors = descriptors};

    if (share->path_length >= sizeof path)
        return error_set(error, "--share: a path of %zu bytes is too long", share->path_length);
    snprintf(path, sizeof path, "%.*s", (int)share->path_length, share->path);
    landlock_allow_path(path, share->read_only ? LANDLOCK_READ_FOLDER : LANDLOCK_WRITE_FOLDER);
    share->open = fuse_server_open(&options, error);
    return share->open != NULL ? 0 : -1;
}

int session_shares_open(unsigned count, struct guest_config guests[GUESTS_MAX],
                        unsigned descriptors, struct error *error)
{
    for (unsigned i = 0; i < count; i++)
        for (unsigned s = 0; s < guests[i].share_count; s++)
            if (guests[i].shares[s].open == NULL && /* a copy has its origin's server */
                open_one(&guests[i].shares[s], descriptors, error) < 0)
                return -1;
    return 0;
}
