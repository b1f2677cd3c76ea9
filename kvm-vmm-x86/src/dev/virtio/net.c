/*
 * The virtio network device; see net.h.
 *
 * Requests are served at once or not taken, so that none is in flight between two calls of run. One
 * frame from the host for which the driver has no buffer is kept; later frames stay with the host.
 */
#include "dev/virtio/net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Frames of one direction moved before the lock is released for others. */
enum { BATCH = 64 };

enum { HEADER = sizeof(struct virtio_net_header), PIECES = NET_QUEUE_SIZE + 16 };

struct net_buffers {
    size_t held; /* bytes of `frame` that wait for the driver, with their header; 0: none */
    uint8_t frame[HEADER + NET_FRAME_MAX];
    struct virtio_piece pieces[PIECES];
    struct virtio_chain chains[NET_MERGED_MAX];
    uint32_t written[NET_MERGED_MAX];
    struct virtio_part parts[NET_MERGED_MAX][NET_QUEUE_SIZE];
};

static struct net *net_of(struct virtio_device *device)
{
    return (struct net *)device;
}

static void push(struct net *net, const struct virtio_chain *chains, const uint32_t *written,
                 unsigned count)
{
    if (virtio_push_all(&net->device.virtio, chains, written, count) != VIRTIO_OK)
        virtio_broken(&net->device.virtio, "a used ring that cannot be written");
}

static bool listen(struct net *net, unsigned queue)
{
    return virtio_listen(&net->device.virtio, queue) == VIRTIO_MORE;
}

/* --- to the host --- */

/* False: the host takes nothing now. A packet of an impossible size is dropped. */
static bool send(struct net *net, const struct virtio_chain *chain)
{
    struct net_buffers *b = net->buffers;
    unsigned skip = net->host->with_header ? 0 : HEADER, count;
    uint64_t size;

    if (chain->readable < HEADER + NET_FRAME_MIN || chain->readable > HEADER + NET_FRAME_MAX)
        return true;
    size = chain->readable - skip;
    if (virtio_pieces(&net->device.virtio, chain, false, skip, &size, b->pieces, PIECES, &count) !=
            VIRTIO_OK ||
        size != chain->readable - skip)
        return true;
    return net->host->ops->send(net->host, b->pieces, count, size) != -EAGAIN;
}

static bool take_frames(struct net *net)
{
    struct virtio_chain *chain = &net->buffers->chains[0];
    struct virtio *v = &net->device.virtio;
    static const uint32_t nothing;

    virtio_stop_listening(v, VIRTIO_NET_TRANSMIT);
    for (unsigned i = 0; i < BATCH; i++) {
        *chain = (struct virtio_chain){.part = net->buffers->parts[0], .room = NET_QUEUE_SIZE};
        if (!virtio_pop(v, VIRTIO_NET_TRANSMIT, chain))
            return listen(net, VIRTIO_NET_TRANSMIT);
        if (!send(net, chain)) {
            virtio_unpop(v, chain);
            return false; /* the host's descriptor becomes ready when it takes frames */
        }
        push(net, chain, &nothing, 1);
    }
    return true;
}

/* --- to the driver --- */

/* Takes as many buffers as a frame needs; 0: the driver does not have enough now. */
static unsigned take_buffers(struct net *net, size_t size)
{
    struct net_buffers *b = net->buffers;
    struct virtio *v = &net->device.virtio;
    unsigned max = virtio_has(v, VIRTIO_NET_F_MRG_RXBUF) ? NET_MERGED_MAX : 1, count = 0;
    size_t room = 0;

    while (room < size && count < max) {
        struct virtio_chain *c = &b->chains[count];

        *c = (struct virtio_chain){.part = b->parts[count], .room = NET_QUEUE_SIZE};
        if (!virtio_pop(v, VIRTIO_NET_RECEIVE, c)) {
            if (listen(net, VIRTIO_NET_RECEIVE)) /* true: new buffers have come meanwhile */
                continue;
            break;
        }
        room += c->writable < size ? c->writable : size;
        count++;
        if (room >= size)
            return count;
    }
    if (count == max) { /* the most buffers, and the frame does not fit: dropped */
        b->held = 0;
        if (b->chains[0].writable < HEADER)
            virtio_broken(v, "buffers without room for a frame's header");
    }
    while (count > 0)
        virtio_unpop(v, &b->chains[--count]);
    return 0;
}

/* Copies the held frame into `count` buffers. */
static void give(struct net *net, unsigned count)
{
    struct net_buffers *b = net->buffers;
    uint16_t number = (uint16_t)count;
    size_t done = 0;

    memcpy(b->frame + offsetof(struct virtio_net_header, num_buffers), &number, sizeof number);
    for (unsigned i = 0; i < count; i++) {
        size_t n = b->held - done;

        n = n < b->chains[i].writable ? n : (size_t)b->chains[i].writable;
        if (virtio_write(&net->device.virtio, &b->chains[i], 0, b->frame + done, n) != VIRTIO_OK)
            virtio_broken(&net->device.virtio, "a buffer that cannot be written");
        b->written[i] = (uint32_t)n;
        done += n;
    }
    push(net, b->chains, b->written, count);
    b->held = 0;
}

static void fetch(struct net *net)
{
    struct net_buffers *b = net->buffers;
    size_t skip = net->host->with_header ? 0 : HEADER, size;
    struct virtio_net_header header = {0};

    size = net->host->ops->receive(net->host, b->frame + skip, sizeof b->frame - skip);
    if (size == 0)
        return;
    b->held = skip + size;
    if (skip > 0 && net->host->good_sums &&
        virtio_has(&net->device.virtio, VIRTIO_NET_F_GUEST_CSUM))
        header.flags = VIRTIO_NET_HDR_F_DATA_VALID;
    memcpy(b->frame, &header, skip);
}

static bool give_frames(struct net *net)
{
    struct net_buffers *b = net->buffers;
    unsigned count;

    virtio_stop_listening(&net->device.virtio, VIRTIO_NET_RECEIVE);
    for (unsigned i = 0; i < BATCH; i++) {
        if (b->held == 0)
            fetch(net);
        if (b->held == 0)
            return false;
        count = take_buffers(net, b->held);
        if (count > 0)
            give(net, count);
        else if (b->held > 0)
            return false;
    }
    return true;
}

static bool net_run(struct virtio_device *device)
{
    struct net *net = net_of(device);
    uint16_t status = net->config.status;
    bool more;

    if (!virtio_device_is_open(device))
        return false;
    net->host->due = false;
    more = net->host->ops->service(net->host);
    more |= take_frames(net);
    more |= give_frames(net);
    more |= net->host->due;
    net->config.status = net->host->up ? VIRTIO_NET_S_LINK_UP : 0;
    if (net->config.status != status)
        virtio_config_changed(&device->virtio);
    return more;
}

static void choose_offloads(struct virtio *v)
{
    struct net *net = v->context;

    if (net->host->ops->choose != NULL)
        net->host->ops->choose(net->host, v->state.driver_features);
}

/* Drops the held frame: it was for the driver before the reset. */
static void on_reset(struct virtio *v)
{
    ((struct net *)v->context)->buffers->held = 0;
}

/* Called before the device is saved, and before a load, which overwrites the result. */
static void *net_state(struct virtio_device *device)
{
    struct net *net = net_of(device);

    net->state = (struct net_state){.status = net->config.status};
    if (net->host->ops->connections != NULL)
        net->state.connections = net->host->ops->connections(net->host);
    return &net->state;
}

/* The host's ends of the guest's connections are gone: the network answers their packets with a
 * reset. */
static bool net_loaded(struct virtio_device *device)
{
    struct net *net = net_of(device);
    char text[120];

    if (net->state.status > VIRTIO_NET_S_LINK_UP)
        return false;
    net->config.status = net->state.status;
    choose_offloads(&device->virtio);
    if (net->state.connections > 0) {
        snprintf(text, sizeof text,
                 "virtio%u (net): the %u TCP connections of its network are reset", device->index,
                 net->state.connections);
        device->backend->say(device->backend->context, text);
    }
    return true;
}

static void net_end(struct virtio_device *device)
{
    free(net_of(device)->buffers);
    net_of(device)->buffers = NULL;
}

static const struct virtio_kind kind = {
    .virtio = {.name = "net",
               .id = VIRTIO_ID_NET,
               .queues = VIRTIO_NET_QUEUES,
               .started = choose_offloads,
               .reset = on_reset},
    .run = net_run,
    .state = net_state,
    .state_size = sizeof(struct net_state),
    .loaded = net_loaded,
    .close = net_end,
};

int net_init(struct net *net, const struct backend *backend, unsigned index, struct net_host *host,
             struct error *error)
{
    uint64_t features = VIRTIO_NET_F_MAC | VIRTIO_NET_F_MTU | VIRTIO_NET_F_STATUS |
                        VIRTIO_NET_F_MRG_RXBUF | host->offloads |
                        (host->good_sums ? VIRTIO_NET_F_GUEST_CSUM : 0);

    *net = (struct net){.host = host,
                        .config = {.status = host->up, .max_virtqueue_pairs = 1, .mtu = host->mtu}};
    memcpy(net->config.mac, host->mac, sizeof net->config.mac);
    net->buffers = calloc(1, sizeof *net->buffers);
    if (net->buffers == NULL)
        return error_set(error, "out of memory for the frames of a network");
    virtio_device_init(&net->device, &kind, backend, index, features, NET_QUEUE_SIZE, &net->config,
                       sizeof net->config);
    net->device.fd = host->fd;
    return 0;
}
