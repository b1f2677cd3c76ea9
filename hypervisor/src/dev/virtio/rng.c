/* virtio entropy device; see rng.h. */
#include "dev/virtio/rng.h"

#include "lib/random.h"

enum { BYTES_MOST = 256 }; /* of an answer: a driver must accept fewer bytes (5.4.6.1) */

static int fill(struct slot *s, uint32_t *written)
{
    uint64_t size = min64(s->request.writable, BYTES_MOST);
    int result = VIRTIO_OK;

    for (*written = 0; *written < size && result == VIRTIO_OK; *written += RANDOM_SEED) {
        uint8_t bytes[RANDOM_SEED];

        random_take(bytes);
        result = virtio_write(&s->virtio, &s->request, *written, bytes,
                              min64(sizeof bytes, size - *written));
    }
    *written = (uint32_t)size;
    return result;
}

static enum slot_step step(struct slot *s)
{
    uint32_t written;
    int result;

    if (!s->holds && !slot_take(s, 0))
        return slot_listen(s, 0);
    result = fill(s, &written);
    if (result == VIRTIO_BAD || written == 0) {
        virtio_broken(&s->virtio, "a request for random bytes without a writable buffer");
        return STEP_IDLE;
    }
    if (result == VIRTIO_OK)
        result = slot_push(s, &s->request, written);
    return result == VIRTIO_LATER ? STEP_MEMORY : STEP_MORE;
}

const struct slot_kind rng_kind = {
    .virtio = {.name = "virtio-rng", .id = VIRTIO_ID_ENTROPY, .queues = 1, SLOT_OPS},
    .step = step,
};
