/*
 * Which of the host's files a guest can reach: the names in a folder, without hidden files and
 * kernel file systems; and what identifies a file.
 */
#ifndef FUSE_REACH_H
#define FUSE_REACH_H

#include "fuse/nodes.h"

struct fuse_found {
    struct stat status;
    uint64_t birth; /* nanoseconds since 1970, which tells a file from an earlier one with its
                     * inode; 0: the file system does not say, or changes it (overlayfs) */
};

/* Examine the file of a name, without following a link, or of a descriptor. 0, or -1 and errno. */
int fuse_reach_look_at(int folder, const char *name, struct fuse_found *found) MUST_CHECK;
int fuse_reach_look(int fd, struct fuse_found *found) MUST_CHECK;

/* An O_PATH descriptor for a name in a folder, whose descriptor is `from`; or a negative errno. */
int fuse_reach_open(const struct fuse_nodes *nodes, const struct fuse_node *folder, int from,
                    const char *name, struct fuse_found *found) MUST_CHECK;

bool fuse_reach_is_machinery(int fd);

#endif
