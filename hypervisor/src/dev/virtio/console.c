/* virtio console; see console.h. */
#include "dev/virtio/console.h"

#include "mon/mux.h"
#include "vm/vm.h"

enum { RECEIVE, SEND };
enum { CHUNK = 256, REQUESTS_MAX = VIRTIO_QUEUE_MAX };

static void send(struct virtio *dev, const struct virtio_chain *c)
{
    char text[CHUNK];

    for (uint64_t at = 0; at < c->readable; at += sizeof text) {
        uint64_t n = min64(c->readable - at, sizeof text);

        if (!virtio_read(dev, c, at, text, n)) {
            virtio_broken(dev);
            return;
        }
        mux_output(dev->vm, text, n);
    }
}

static void notify(struct virtio *dev, unsigned queue)
{
    struct virtio_chain *c = &dev->vm->chain;
    int served = 0;

    if (queue != SEND)
        return;
    while (served < REQUESTS_MAX && virtio_pop(dev, SEND, c)) {
        send(dev, c);
        virtio_push(dev, SEND, c, 0);
        served++;
    }
    if (served > 0)
        virtio_interrupt(dev);
}

void virtio_console_receive(struct virtio *dev, uint8_t byte)
{
    struct virtio_chain *c = &dev->vm->chain;

    if (!virtio_pop(dev, RECEIVE, c))
        return;
    if (!virtio_write(dev, c, 0, &byte, 1))
        virtio_broken(dev);
    virtio_push(dev, RECEIVE, c, 1);
    virtio_interrupt(dev);
}

const struct virtio_ops virtio_console_ops = {
    .name = "virtio-console",
    .id = VIRTIO_CONSOLE,
    .queues = 2,
    .notify = notify,
};
