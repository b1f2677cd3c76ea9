/* virtio block device (virtio 1.2, 5.2), on a RAM image or on a disk of the machine. */
#ifndef DEV_VIRTIO_BLK_H
#define DEV_VIRTIO_BLK_H

#include "abi/virtio_blk.h"
#include "dev/virtio/slot.h"

struct blk {
    struct virtio_blk_config config;
    uint8_t *image; /* of a RAM disk, in 2^order pages; NULL: it is the machine's `disk` */
    unsigned order;
    const uint8_t *from; /* the source of its contents, and how much of it was copied */
    uint64_t from_size, filled;
    int disk;
    /* The request under way: `done` of `size` bytes, and how many are on their way now. */
    struct virtio_blk_header header;
    enum { BLK_IDLE, BLK_MOVE, BLK_HOST, BLK_ANSWER } phase;
    uint64_t size, done, moving;
    bool arrived; /* in BLK_HOST: the machine's disk has finished */
    uint8_t status;
};

extern const struct slot_kind blk_kind; /* device: struct blk */

/* A disk in memory for a copy of `size` bytes, rounded up to sectors; false: no memory. blk_fill()
 * then copies a bounded piece at each call; call it until it returns true. */
bool blk_open_image(struct blk *blk, const void *bytes, size_t size) MUST_CHECK;
bool blk_fill(struct blk *blk) MUST_CHECK;
/* The size of a disk in memory, in bytes; 0 for one of the machine's. */
static inline uint64_t blk_image_size(const struct blk *blk)
{
    return blk->image != NULL ? blk->config.capacity * VIRTIO_BLK_SECTOR : 0;
}
/* Frees its image, or releases the machine's disk. One that was not opened has `disk` -1. */
void blk_close(struct blk *blk);
/* Opens the machine's disk number `number`; false if it does not exist, or another guest has it. */
bool blk_open_host(struct blk *blk, unsigned number) MUST_CHECK;

#endif
