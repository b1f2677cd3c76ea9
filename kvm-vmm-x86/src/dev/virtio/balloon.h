/* The virtio memory balloon (virtio 1.2, 5.5): the host gets back what the guest does not use, by
 * free page reporting, and what it asks for. A guest that runs out of memory takes pages back. */
#ifndef DEV_VIRTIO_BALLOON_H
#define DEV_VIRTIO_BALLOON_H

#include "abi/virtio_balloon.h"
#include "dev/virtio/device.h"

enum { BALLOON_QUEUE_SIZE = 64 };

struct balloon {
    struct virtio_device device;
    struct virtio_balloon_config config; /* `actual` is atomic */
    uint32_t asked;                      /* pages, for `config`; atomic */
};

void balloon_init(struct balloon *balloon, const struct backend *backend, unsigned index);

/* Asks the guest to give `bytes` of its memory in total, in whole pages; a paused guest gets the
 * request when it continues. From any thread; never waits. */
void balloon_ask(struct balloon *balloon, uint64_t bytes);
/* How many bytes were asked for, and how many the guest says it has given. From any thread; never
 * waits. */
void balloon_read(struct balloon *balloon, uint64_t *asked, uint64_t *given);

#endif
