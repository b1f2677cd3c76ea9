/* virtio block device (virtio 1.2, 5.2), on a RAM image or on a disk of the machine. */
#ifndef DEV_VIRTIO_BLK_H
#define DEV_VIRTIO_BLK_H

#include "abi/virtio_blk.h"
#include "dev/virtio/slot.h"

struct blk {
    struct virtio_blk_config config;
    uint8_t *image; /* of a RAM disk, in 2^order pages; NULL: it is the machine's `disk` */
    unsigned order;
    int disk;
    /* The request under way: `done` of `size` bytes, and how many are on their way now. */
    struct virtio_blk_header header;
    enum { BLK_IDLE, BLK_MOVE, BLK_HOST, BLK_ANSWER } phase;
    uint64_t size, done, moving;
    bool arrived; /* of BLK_HOST: the machine's disk is done with it */
    uint8_t status;
};

extern const struct slot_kind blk_kind; /* device: struct blk */

/* A disk in memory with a copy of `size` bytes, rounded up to sectors; false: no memory. */
bool blk_open_image(struct blk *blk, const void *bytes, size_t size) MUST_CHECK;
/* Gives back what it was opened on; of one that was not opened `disk` is -1. */
void blk_close(struct blk *blk);
/* The machine's disk number `number`; false where it does not exist, or another guest has it. */
bool blk_open_host(struct blk *blk, unsigned number) MUST_CHECK;

#endif
