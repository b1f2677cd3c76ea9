/* virtio network device; see net.h. */
#include "dev/virtio/net.h"

#include "common/string.h"

enum { RECEIVE, SEND };
enum { HEADER_SIZE = 12 };
#define FEATURE_MAC (1ul << 5)

static void reset(struct slot *s)
{
    struct net *net = s->virtio.device;

    net->head = net->count = 0;
    net->to_hand_on = false;
}

/* Puts a frame into the driver's next buffer. Drops the frame if there is no buffer or it is too
 * small. VIRTIO_LATER: nothing has been done yet. */
static int deliver(struct slot *s, const struct net_frame *frame)
{
    struct net *net = s->virtio.device;
    struct virtio_part parts[SLOT_QUEUE];
    struct virtio_chain chain = {.part = parts, .room = SLOT_QUEUE};
    uint32_t size = frame->size;
    int result;

    if (!virtio_pop(&s->virtio, RECEIVE, &chain)) {
        net->dropped++;
        return VIRTIO_OK;
    }
    result = virtio_write(&s->virtio, &chain, 0, frame->bytes, size);
    if (result == VIRTIO_BAD)
        size = 0;
    if (result != VIRTIO_LATER)
        result = slot_push(s, &chain, size);
    if (result == VIRTIO_LATER) {
        virtio_unpop(&s->virtio, &chain);
        return result;
    }
    *(size > 0 ? &net->received : &net->dropped) += 1;
    return VIRTIO_OK;
}

void net_receive(struct slot *s, const struct net_frame *frame)
{
    struct net *net = s->virtio.device;

    if (net->count == 0 && deliver(s, frame) == VIRTIO_OK)
        return;
    if (net->count == NET_INBOX) {
        net->dropped++;
        return;
    }
    net->inbox[(net->head + net->count++) % NET_INBOX] = *frame;
    s->kicked = true;
}

/* Takes a request's frame into `frame`. */
static void take_frame(struct slot *s, struct net *net)
{
    struct net_frame *f = &net->frame;
    uint64_t size = s->request.readable;

    net->to_hand_on = size > HEADER_SIZE && size <= NET_FRAME_MAX &&
                      virtio_read(&s->virtio, &s->request, 0, f->bytes, size) == VIRTIO_OK;
    if (!net->to_hand_on) {
        net->dropped++;
        return;
    }
    f->size = (uint16_t)size;
    memset(f->bytes, 0, HEADER_SIZE); /* no offloads were offered */
    f->bytes[10] = 1;                 /* num_buffers */
    net->sent++;
}

static enum slot_step step(struct slot *s)
{
    struct net *net = s->virtio.device;

    if (net->count > 0) {
        if (deliver(s, &net->inbox[net->head]) == VIRTIO_LATER)
            return STEP_MEMORY;
        net->head = (net->head + 1) % NET_INBOX;
        net->count--;
        return STEP_MORE;
    }
    if (!s->holds) {
        if (!slot_take(s, SEND))
            return slot_listen(s, SEND);
        take_frame(s, net);
    }
    if (slot_push(s, &s->request, 0) == VIRTIO_LATER)
        return STEP_MEMORY;
    return net->to_hand_on ? STEP_FRAME : STEP_MORE;
}

const struct slot_kind net_kind = {
    .virtio = {.name = "virtio-net", .id = VIRTIO_ID_NET, .queues = 2, SLOT_OPS},
    .features = FEATURE_MAC,
    .step = step,
    .reset = reset,
};
