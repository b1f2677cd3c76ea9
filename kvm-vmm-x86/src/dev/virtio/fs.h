/* The virtio file system device (virtio 1.2, 5.11): a folder of the host, served by fuse/server.h
 * on threads of the device's own. */
#ifndef DEV_VIRTIO_FS_H
#define DEV_VIRTIO_FS_H

#include "dev/virtio/device.h"
#include "fuse/server.h"
#include "host/workers.h"

enum {
    FS_TAG_SIZE = 36,
    FS_QUEUES = 2, /* of urgent requests, and of all others */
    FS_QUEUE_SIZE = 512,
    FS_REQUESTS = 64, /* in flight */
    FS_THREADS = 4
};

struct fs_request;

struct fs_config {
    char tag[FS_TAG_SIZE];
    uint32_t request_queues;
};

struct fs {
    struct virtio_device device;
    struct fuse_server *server;
    struct workers *workers;
    struct fs_config config;
    struct fs_request *requests, *idle; /* FS_REQUESTS of them; those not in flight, a list */
};

/* `server` belongs to the caller. On failure nothing is to be closed. */
int fs_init(struct fs *fs, const struct backend *backend, unsigned index,
            struct fuse_server *server, const char *tag, struct error *error) MUST_CHECK;

#endif
