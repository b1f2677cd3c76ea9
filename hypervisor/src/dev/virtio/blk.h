/* virtio block device (virtio 1.2, 5.2), on a RAM image or on a disk of the machine. */
#ifndef DEV_VIRTIO_BLK_H
#define DEV_VIRTIO_BLK_H

#include "dev/virtio/virtio.h"

enum { SECTOR_SIZE = 512 };

/* What is behind it. A request lies inside `sectors`. Both return false on an error of the medium.
 */
struct disk {
    const char *name;
    uint64_t sectors;
    bool (*read)(struct disk *disk, uint64_t sector, void *to, uint64_t count);
    bool (*write)(struct disk *disk, uint64_t sector, const void *from, uint64_t count);
    uint8_t *image; /* of a RAM disk */
    unsigned order; /* of the pages that hold it */
    unsigned unit;  /* of a disk of the machine */
};

extern const struct virtio_ops virtio_blk_ops; /* state: struct disk */

/* A disk in memory with a copy of `size` bytes, rounded up to sectors; NULL: no memory. */
bool disk_open_image(struct disk *disk, const void *bytes, size_t size) MUST_CHECK;
void disk_close(struct disk *disk);

#endif
