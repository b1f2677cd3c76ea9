/* virtio console (virtio 1.2, 5.3): one port. Queue 0 receives, queue 1 sends. */
#ifndef DEV_VIRTIO_CONSOLE_H
#define DEV_VIRTIO_CONSOLE_H

#include "dev/virtio/virtio.h"

extern const struct virtio_ops virtio_console_ops;

/* A typed byte; lost where the driver has no buffer ready. The VM's lock is held. */
void virtio_console_receive(struct virtio *dev, uint8_t byte);

#endif
