/* The virtio memory balloon (virtio 1.2, 5.5): the host gets back what the guest does not use, by
 * free page reporting. The device asks for no page itself, and takes those that are given. */
#ifndef DEV_VIRTIO_BALLOON_H
#define DEV_VIRTIO_BALLOON_H

#include "abi/virtio_balloon.h"
#include "dev/virtio/device.h"

enum { BALLOON_QUEUE_SIZE = 64 };

struct balloon {
    struct virtio_device device;
    struct virtio_balloon_config config;
};

void balloon_init(struct balloon *balloon, const struct backend *backend, unsigned index);

#endif
