/* The virtio block device (virtio 1.2, 5.2), on a disk of the host (host/disk/disk.h). */
#ifndef DEV_VIRTIO_BLK_H
#define DEV_VIRTIO_BLK_H

#include "abi/virtio_blk.h"
#include "dev/virtio/device.h"
#include "host/disk/disk.h"

enum { BLK_QUEUE_SIZE = 256, BLK_SEGMENTS = BLK_QUEUE_SIZE - 2 };

struct blk_request;

struct blk {
    struct virtio_device device;
    struct disk *disk;
    struct virtio_blk_config config;
    bool told;                           /* the user has heard of its disk's trouble */
    struct blk_request *requests, *idle; /* BLK_QUEUE_SIZE of them; those not in flight, a list */
};

/* `disk` belongs to the caller. On failure nothing is to be closed. */
int blk_init(struct blk *blk, const struct backend *backend, unsigned index, struct disk *disk,
             struct error *error) MUST_CHECK;

#endif
