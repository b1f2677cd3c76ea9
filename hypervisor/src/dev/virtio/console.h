/* virtio console (virtio 1.2, 5.3): one port. Queue 0 receives, queue 1 sends. */
#ifndef DEV_VIRTIO_CONSOLE_H
#define DEV_VIRTIO_CONSOLE_H

#include "dev/virtio/virtio.h"

enum { CONSOLE_TYPED = 256 };

struct console {
    struct virtio_chain chain; /* being sent, `sent` bytes of it so far */
    bool sending;
    uint64_t sent;
    uint8_t typed[CONSOLE_TYPED]; /* waits for the driver's buffers */
    unsigned head, count;
};

extern const struct virtio_ops virtio_console_ops; /* state: struct console */

/* A typed byte; false where too many wait already. The device has something to do then. */
bool virtio_console_type(struct virtio *dev, uint8_t byte);

#endif
