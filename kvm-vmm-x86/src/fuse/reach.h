/*
 * What of the host exists for a guest: the names of a folder, without hidden files and without file
 * systems that are the host's machinery; and what a file is, as far as that tells it from another.
 */
#ifndef FUSE_REACH_H
#define FUSE_REACH_H

#include "fuse/nodes.h"

struct fuse_found {
    struct stat status;
    uint64_t birth; /* nanoseconds since 1970, which tells a file from an earlier one with its
                     * inode; 0: the file system does not say, or changes it (overlayfs) */
};

/* Of what a name stands for, whose links are not followed, or of a descriptor's file. 0, or -1 and
 * errno. */
int fuse_reach_look_at(int folder, const char *name, struct fuse_found *found) MUST_CHECK;
int fuse_reach_look(int fd, struct fuse_found *found) MUST_CHECK;

/* An O_PATH descriptor for a name in a folder, whose descriptor is `from`; or a negative errno. */
int fuse_reach_open(const struct fuse_nodes *nodes, const struct fuse_node *folder, int from,
                    const char *name, struct fuse_found *found) MUST_CHECK;

bool fuse_reach_is_machinery(int fd);

#endif
