/* virtio console (virtio 1.2, 5.3): one port. Queue 0 receives, queue 1 sends. */
#ifndef DEV_VIRTIO_CONSOLE_H
#define DEV_VIRTIO_CONSOLE_H

#include "dev/virtio/slot.h"

enum { CONSOLE_TYPED = 256 };

struct console {
    uint64_t sent;                /* of the request that is held */
    uint8_t typed[CONSOLE_TYPED]; /* input that waits for the driver's buffers */
    unsigned head, count;
    size_t (*output)(void *vm, const char *text, size_t length); /* how much was taken */
};

extern const struct slot_kind console_kind; /* device: struct console */

/* Queues a typed byte for the device's next step; false if the queue is full. */
bool console_type(struct slot *slot, uint8_t byte);

#endif
