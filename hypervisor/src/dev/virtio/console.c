/* virtio console; see console.h. */
#include "dev/virtio/console.h"

enum { RECEIVE, SEND };
enum { CHUNK = 256 };

static void reset(struct slot *s)
{
    struct console *c = s->virtio.device;

    c->head = c->count = 0;
}

/* Puts typed bytes into the driver's next buffer. */
static enum slot_step receive(struct slot *s)
{
    struct console *c = s->virtio.device;
    struct virtio_part parts[SLOT_QUEUE];
    struct virtio_chain chain = {.part = parts, .room = SLOT_QUEUE};
    uint32_t size = 0;
    int result = VIRTIO_OK;

    if (!virtio_pop(&s->virtio, RECEIVE, &chain))
        return slot_listen(s, RECEIVE);
    for (; size < c->count && size < chain.writable; size++) {
        uint8_t byte = c->typed[(c->head + size) % CONSOLE_TYPED];

        result = virtio_write(&s->virtio, &chain, size, &byte, 1);
        if (result != VIRTIO_OK)
            break;
    }
    if (result == VIRTIO_OK)
        result = slot_push(s, &chain, size);
    if (result != VIRTIO_OK)
        virtio_unpop(&s->virtio, &chain);
    if (result == VIRTIO_LATER)
        return STEP_MEMORY;
    if (result == VIRTIO_BAD) {
        virtio_broken(&s->virtio, "a buffer outside its memory");
        return STEP_IDLE;
    }
    c->head = (c->head + size) % CONSOLE_TYPED;
    c->count -= size;
    return STEP_MORE;
}

static enum slot_step send(struct slot *s)
{
    struct console *c = s->virtio.device;
    uint64_t n = min64(s->request.readable - c->sent, CHUNK);
    char text[CHUNK];
    size_t taken;

    if (n == 0)
        return slot_push(s, &s->request, 0) == VIRTIO_OK ? STEP_MORE : STEP_MEMORY;
    if (virtio_read(&s->virtio, &s->request, c->sent, text, n) != VIRTIO_OK) {
        virtio_broken(&s->virtio, "a buffer outside its memory");
        return STEP_IDLE;
    }
    taken = c->output(s->vm, text, n);
    c->sent += taken;
    return taken < n ? STEP_WAIT : STEP_MORE;
}

static enum slot_step step(struct slot *s)
{
    struct console *c = s->virtio.device;
    enum slot_step received = c->count > 0 ? receive(s) : STEP_IDLE;

    if (received != STEP_IDLE)
        return received;
    if (s->holds)
        return send(s);
    c->sent = 0;
    return slot_take(s, SEND) ? STEP_MORE : slot_listen(s, SEND); /* one request a step */
}

bool console_type(struct slot *s, uint8_t byte)
{
    struct console *c = s->virtio.device;

    if (c->count == CONSOLE_TYPED)
        return false;
    c->typed[(c->head + c->count++) % CONSOLE_TYPED] = byte;
    s->kicked = true;
    return true;
}

const struct slot_kind console_kind = {
    .virtio = {.name = "virtio-console", .id = VIRTIO_ID_CONSOLE, .queues = 2, SLOT_OPS},
    .step = step,
    .reset = reset,
};
