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

/* Asks the guest to give so much of its memory in all, in whole pages; one that stands still is
 * asked when it goes on. From any thread; waits for nothing. */
void balloon_ask(struct balloon *balloon, uint64_t bytes);
/* What was asked for and what the guest says it has given: bytes. From any thread; waits for
 * nothing. */
void balloon_read(struct balloon *balloon, uint64_t *asked, uint64_t *given);

#endif
