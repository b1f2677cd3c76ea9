/* The virtio entropy device; see rng.h. */
#include "dev/virtio/rng.h"

#include <stddef.h>

/* The most bytes for one request, and the requests served while the lock is held. A driver that
 * asks for more gets only this many bytes, which it must expect (5.4.6.1). */
enum { BYTES_MAX = 4096, BATCH = 4 };

/* Returns the number of bytes written. */
static uint32_t fill(struct virtio_device *device, const struct virtio_chain *chain)
{
    uint64_t size = chain->writable < BYTES_MAX ? chain->writable : BYTES_MAX;
    uint8_t bytes[BYTES_MAX];

    if (!device->backend->random(bytes, size) ||
        virtio_write(&device->virtio, chain, 0, bytes, size) != VIRTIO_OK)
        return 0;
    return (uint32_t)size;
}

static bool rng_run(struct virtio_device *device)
{
    struct virtio_part parts[RNG_QUEUE_SIZE];
    struct virtio_chain chain = {.part = parts, .room = RNG_QUEUE_SIZE};
    struct virtio *v = &device->virtio;

    if (!virtio_device_is_open(device))
        return false;
    virtio_stop_listening(v, 0);
    for (unsigned i = 0; i < BATCH; i++) {
        if (!virtio_pop(v, 0, &chain))
            return virtio_listen(v, 0) == VIRTIO_MORE;
        if (chain.writable == 0 || chain.readable > 0)
            virtio_broken(v, "a request without a writable buffer, or with a readable one");
        /* Not VIRTIO_LATER: all guest RAM is mapped already. */
        if (virtio_push(v, &chain, virtio_is_running(v) ? fill(device, &chain) : 0) != VIRTIO_OK)
            virtio_broken(v, "a used ring that cannot be written");
    }
    return true;
}

static const struct virtio_kind kind = {
    .virtio = {.name = "rng", .id = VIRTIO_ID_ENTROPY, .queues = 1}, .run = rng_run};

void rng_init(struct rng *rng, const struct backend *backend, unsigned index)
{
    virtio_device_init(&rng->device, &kind, backend, index, 0, RNG_QUEUE_SIZE, NULL, 0);
}
