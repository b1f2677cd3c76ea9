/* The virtio memory balloon (virtio 1.2, 5.5). */
#ifndef ABI_VIRTIO_BALLOON_H
#define ABI_VIRTIO_BALLOON_H

#include <stdint.h>

#define VIRTIO_BALLOON_F_DEFLATE_ON_OOM (UINT64_C(1) << 2)
#define VIRTIO_BALLOON_F_REPORTING      (UINT64_C(1) << 5)

/* The last is the third where the two between are not offered. */
enum { VIRTIO_BALLOON_INFLATE = 0, VIRTIO_BALLOON_DEFLATE = 1, VIRTIO_BALLOON_REPORTING = 2 };

enum { VIRTIO_BALLOON_PAGE_SHIFT = 12 };

struct virtio_balloon_config {
    uint32_t num_pages; /* the device's wish */
    uint32_t actual;    /* written by the driver */
};

#endif
