/* virtio network device; see net.h. */
#include "dev/virtio/net.h"

#include "common/string.h"

enum { RECEIVE, SEND };
enum { HEADER_SIZE = 12 };
#define FEATURE_MAC (1ul << 5)

static void reset(struct virtio *dev)
{
    struct net *net = dev->state;

    net->head = net->count = 0;
    net->sending = net->to_hand_on = false;
}

/* Puts a frame into the driver's next buffer; without one, or where it is too small, it is dropped
 * as a wire would. VIRTIO_UNBACKED: nothing has happened yet. */
static int deliver(struct virtio *dev, const struct net_frame *frame)
{
    struct net *net = dev->state;
    uint32_t size = frame->size;
    int result;

    if (!virtio_pop(dev, RECEIVE, dev->scratch)) {
        net->dropped++;
        return VIRTIO_OK;
    }
    result = virtio_write(dev, dev->scratch, 0, frame->bytes, size);
    if (result == VIRTIO_BAD)
        size = 0;
    if (result != VIRTIO_UNBACKED)
        result = virtio_push(dev, RECEIVE, dev->scratch, size);
    if (result == VIRTIO_UNBACKED) {
        virtio_unpop(dev, RECEIVE);
        return result;
    }
    *(size > 0 ? &net->received : &net->dropped) += 1;
    return VIRTIO_OK;
}

void virtio_net_receive(struct virtio *dev, const struct net_frame *frame)
{
    struct net *net = dev->state;

    if (net->count == 0 && deliver(dev, frame) == VIRTIO_OK)
        return;
    if (net->count == NET_INBOX) {
        net->dropped++;
        return;
    }
    net->inbox[(net->head + net->count++) % NET_INBOX] = *frame;
    dev->kicked = true;
}

/* Takes a request's frame into `frame`. */
static void take_frame(struct virtio *dev, struct net *net)
{
    struct net_frame *f = &net->frame;
    uint64_t size = net->chain.readable;

    net->to_hand_on = size > HEADER_SIZE && size <= NET_FRAME_MAX &&
                      virtio_read(dev, &net->chain, 0, f->bytes, size) == VIRTIO_OK;
    if (!net->to_hand_on) {
        net->dropped++;
        return;
    }
    f->size = (uint16_t)size;
    memset(f->bytes, 0, HEADER_SIZE); /* no offloads were offered */
    f->bytes[10] = 1;                 /* num_buffers */
    net->sent++;
}

static enum virtio_step step(struct virtio *dev)
{
    struct net *net = dev->state;

    if (net->count > 0) {
        if (deliver(dev, &net->inbox[net->head]) == VIRTIO_UNBACKED)
            return STEP_MEMORY;
        net->head = (net->head + 1) % NET_INBOX;
        net->count--;
        return STEP_MORE;
    }
    if (!net->sending) {
        net->sending = virtio_pop(dev, SEND, &net->chain);
        if (!net->sending)
            return STEP_IDLE;
        take_frame(dev, net);
    }
    if (virtio_push(dev, SEND, &net->chain, 0) == VIRTIO_UNBACKED)
        return STEP_MEMORY;
    net->sending = false;
    return net->to_hand_on ? STEP_FRAME : STEP_MORE;
}

static uint64_t config(struct virtio *dev, uint64_t offset, unsigned width)
{
    const struct net *net = dev->state;
    uint64_t value = 0;

    for (unsigned i = 0; i < width; i++)
        if (offset + i < sizeof net->mac)
            value |= (uint64_t)net->mac[offset + i] << 8 * i;
    return value;
}

const struct virtio_ops virtio_net_ops = {
    .name = "virtio-net",
    .id = VIRTIO_NET,
    .queues = 2,
    .features = FEATURE_MAC,
    .step = step,
    .reset = reset,
    .config = config,
};
