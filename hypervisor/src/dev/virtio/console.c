/* virtio console; see console.h. */
#include "dev/virtio/console.h"

enum { RECEIVE, SEND };
enum { CHUNK = 256 };

static void reset(struct virtio *dev)
{
    struct console *c = dev->state;

    c->sending = false;
    c->head = c->count = 0;
}

/* Puts what was typed into the driver's next buffer. */
static enum virtio_step receive(struct virtio *dev)
{
    struct console *c = dev->state;
    struct virtio_chain *chain = dev->scratch;
    uint32_t size = 0;
    int result;

    if (!virtio_pop(dev, RECEIVE, chain))
        return STEP_IDLE;
    for (result = VIRTIO_OK; size < c->count && size < chain->writable; size++) {
        result = virtio_write(dev, chain, size, &c->typed[(c->head + size) % CONSOLE_TYPED], 1);
        if (result != VIRTIO_OK)
            break;
    }
    if (result == VIRTIO_OK)
        result = virtio_push(dev, RECEIVE, chain, size);
    if (result == VIRTIO_UNBACKED) {
        virtio_unpop(dev, RECEIVE);
        return STEP_MEMORY;
    }
    if (result == VIRTIO_BAD) {
        virtio_broken(dev);
        return STEP_IDLE;
    }
    c->head = (c->head + size) % CONSOLE_TYPED;
    c->count -= size;
    return STEP_MORE;
}

static enum virtio_step send(struct virtio *dev)
{
    struct console *c = dev->state;
    uint64_t n = min64(c->chain.readable - c->sent, CHUNK);
    char text[CHUNK];
    size_t taken;

    if (n == 0) {
        if (virtio_push(dev, SEND, &c->chain, 0) != VIRTIO_OK)
            return STEP_MEMORY;
        c->sending = false;
        return STEP_MORE;
    }
    if (virtio_read(dev, &c->chain, c->sent, text, n) != VIRTIO_OK) {
        virtio_broken(dev);
        c->sending = false;
        return STEP_IDLE;
    }
    taken = dev->host->output(dev->vm, text, n);
    c->sent += taken;
    return taken < n ? STEP_WAIT : STEP_MORE;
}

static enum virtio_step step(struct virtio *dev)
{
    struct console *c = dev->state;
    enum virtio_step received = c->count > 0 ? receive(dev) : STEP_IDLE;

    if (received != STEP_IDLE)
        return received;
    if (c->sending)
        return send(dev);
    c->sending = virtio_pop(dev, SEND, &c->chain); /* a long chain is a step of its own */
    c->sent = 0;
    return c->sending ? STEP_MORE : STEP_IDLE;
}

bool virtio_console_type(struct virtio *dev, uint8_t byte)
{
    struct console *c = dev->state;

    if (c->count == CONSOLE_TYPED)
        return false;
    c->typed[(c->head + c->count++) % CONSOLE_TYPED] = byte;
    dev->kicked = true;
    return true;
}

const struct virtio_ops virtio_console_ops = {
    .name = "virtio-console",
    .id = VIRTIO_CONSOLE,
    .queues = 2,
    .step = step,
    .reset = reset,
};
