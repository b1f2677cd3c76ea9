/* The virtio entropy device (virtio 1.2, 5.4): the host's random bytes. */
#ifndef DEV_VIRTIO_RNG_H
#define DEV_VIRTIO_RNG_H

#include "dev/virtio/device.h"

enum { RNG_QUEUE_SIZE = 16 };

struct rng {
    struct virtio_device device;
};

void rng_init(struct rng *rng, const struct backend *backend, unsigned index);

#endif
