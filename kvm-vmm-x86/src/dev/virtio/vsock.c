/*
 * The virtio socket device; see vsock.h.
 *
 * No request is kept between two calls of run: a packet of the guest is taken when it can be
 * processed, and a buffer is taken when there is a packet for it.
 */
#include "dev/virtio/vsock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dev/virtio/vsock_connection.h"

enum {
    BATCH = 64, /* packets of one direction before the lock is released for others */
    HEADER = VSOCK_HEADER,
    DATA_MAX = 64 * 1024, /* data of one packet for the guest */
    NEWS = 64
};

static struct vsock *vsock_of(struct virtio_device *device)
{
    return (struct vsock *)device;
}

static void push(struct vsock *v, const struct virtio_chain *chain, uint32_t written)
{
    if (virtio_push(&v->device.virtio, chain, written) != VIRTIO_OK)
        virtio_broken(&v->device.virtio, "a used ring that cannot be written");
}

static bool listen(struct vsock *v, unsigned queue)
{
    return virtio_listen(&v->device.virtio, queue) == VIRTIO_MORE;
}

static bool pop(struct vsock *v, unsigned queue, struct virtio_chain *chain)
{
    *chain = (struct virtio_chain){.part = v->connections->parts, .room = VSOCK_QUEUE_SIZE};
    return virtio_pop(&v->device.virtio, queue, chain);
}

/* --- from the guest to the host --- */

static void refuse(struct vsock *v, const struct virtio_vsock_header *h)
{
    struct vsock_connections *all = v->connections;

    if (h->op == VIRTIO_VSOCK_RST)
        return;
    all->refusals[(all->first_refusal + all->refusal_count++) % VSOCK_REFUSALS_MAX] =
        (struct vsock_refusal){.guest_port = h->source_port, .host_port = h->target_port};
}

/* A program in the guest connects to a port of the host. */
static void take_request(struct vsock *v, const struct virtio_vsock_header *h)
{
    struct vsock_connections *all = v->connections;
    struct vsock_connection *c = vsock_connection_free(v);
    int fd = c == NULL ? -ENOBUFS
                       : v->host->ops->connect(v->host, h->target_port, (uint16_t)(c - all->at));

    if (fd < 0) {
        refuse(v, h);
        return;
    }
    vsock_connection_begin(all, c, VSOCK_OPEN, fd);
    vsock_connection_name(all, c, h->source_port, h->target_port);
    c->guest_buffer = h->buffer;
    c->guest_forwarded = h->forwarded;
    c->want_response = true;
}

/* Answers as Firecracker does. The client's socket buffer is empty, so the line fits. */
static void take_response(struct vsock *v, struct vsock_connection *c)
{
    char text[VSOCK_COMMAND_MAX];
    struct virtio_piece piece = {text, 0};

    piece.size = (size_t)snprintf(text, sizeof text, "OK %u\n", c->host_port);
    c->phase = VSOCK_OPEN;
    if (v->host->ops->write(v->host, c->fd, &piece, 1) != (int64_t)piece.size)
        vsock_connection_lose_reader(c);
}

static void take_packet(struct vsock *v, const struct virtio_chain *chain,
                        const struct virtio_vsock_header *h)
{
    struct vsock_connection *c =
        vsock_connection_find(v->connections, h->source_port, h->target_port);
    bool ours = h->type == VIRTIO_VSOCK_STREAM && h->target_cid == VIRTIO_VSOCK_HOST &&
                h->source_cid == v->config.guest_cid && h->size <= chain->readable - HEADER;

    if (!ours || (c == NULL && h->op != VIRTIO_VSOCK_REQUEST)) {
        refuse(v, h);
        return;
    }
    if (c == NULL) {
        take_request(v, h);
        return;
    }
    c->guest_buffer = h->buffer;
    c->guest_forwarded = h->forwarded;
    c->asked_credit &= vsock_connection_credit(c) == 0;
    if (h->op == VIRTIO_VSOCK_RST)
        vsock_connection_end(v, c);
    else if (c->phase == VSOCK_ENDING)
        return; /* the guest has not received the reset yet */
    else if (h->op == VIRTIO_VSOCK_RESPONSE && c->phase == VSOCK_REQUESTED && !c->want_request)
        take_response(v, c);
    else if (c->phase != VSOCK_OPEN)
        vsock_connection_break(v, c);
    else if (h->op == VIRTIO_VSOCK_RW)
        vsock_connection_take(v, c, chain, h->size);
    else if (h->op == VIRTIO_VSOCK_SHUTDOWN) {
        c->guest_ends |= h->flags & (VIRTIO_VSOCK_SHUT_RECEIVE | VIRTIO_VSOCK_SHUT_SEND);
        if (h->flags & VIRTIO_VSOCK_SHUT_RECEIVE)
            v->host->ops->end_input(v->host, c->fd);
        vsock_connection_drain(v, c);
    } else if (h->op == VIRTIO_VSOCK_CREDIT_REQUEST)
        c->want_credit = true;
    else if (h->op != VIRTIO_VSOCK_CREDIT_UPDATE)
        vsock_connection_break(v, c);
}

static bool take_packets(struct vsock *v)
{
    struct virtio *dev = &v->device.virtio;
    struct virtio_vsock_header header;
    struct virtio_chain chain;

    virtio_stop_listening(dev, VIRTIO_VSOCK_TRANSMIT);
    for (unsigned i = 0; i < BATCH; i++) {
        v->connections->held = v->connections->refusal_count == VSOCK_REFUSALS_MAX;
        if (v->connections->held)
            return false; /* until the guest takes answers */
        if (!pop(v, VIRTIO_VSOCK_TRANSMIT, &chain))
            return listen(v, VIRTIO_VSOCK_TRANSMIT);
        if (virtio_read(dev, &chain, 0, &header, HEADER) == VIRTIO_OK)
            take_packet(v, &chain, &header);
        else
            virtio_broken(dev, "a packet without a header");
        push(v, &chain, 0);
    }
    return true;
}

/* --- from the host to the guest --- */

static struct virtio_vsock_header header_for(struct vsock *v, uint32_t guest_port,
                                             uint32_t host_port, enum virtio_vsock_op op)
{
    return (struct virtio_vsock_header){.source_cid = VIRTIO_VSOCK_HOST,
                                        .target_cid = v->config.guest_cid,
                                        .source_port = host_port,
                                        .target_port = guest_port,
                                        .type = VIRTIO_VSOCK_STREAM,
                                        .op = (uint16_t)op};
}

/* Reads as much data as socket, credit and buffer allow. False: no data. */
static bool read_data(struct vsock *v, struct vsock_connection *c, const struct virtio_chain *chain,
                      struct virtio_vsock_header *h)
{
    struct virtio_piece pieces[VSOCK_PIECES];
    uint64_t room = chain->writable - HEADER;
    unsigned count;
    int64_t n;

    room = room < vsock_connection_credit(c) ? room : vsock_connection_credit(c);
    room = room < DATA_MAX ? room : DATA_MAX;
    if (virtio_pieces(&v->device.virtio, chain, true, HEADER, &room, pieces, VSOCK_PIECES,
                      &count) != VIRTIO_OK) {
        virtio_broken(&v->device.virtio, "a buffer that cannot be written");
        return false;
    }
    n = v->host->ops->read(v->host, c->fd, pieces, count);
    if (n == -EAGAIN) {
        c->readable = false;
        return false;
    }
    if (n <= 0) {
        c->readable = false;
        c->host_ends |= VIRTIO_VSOCK_SHUT_SEND;
        if (n < 0 || vsock_connection_is_over(c))
            vsock_connection_break(v, c);
        else
            c->want_shutdown = true;
        return false;
    }
    c->sent += (uint32_t)n;
    h->size = (uint32_t)n;
    return true;
}

static bool take_flag(bool *flag)
{
    bool was = *flag;

    *flag = false;
    return was;
}

/* Writes one packet of a connection to a buffer; returns its size, 0: no packet after all. */
static uint32_t make_packet(struct vsock *v, struct vsock_connection *c,
                            const struct virtio_chain *chain)
{
    struct virtio_vsock_header h = header_for(v, c->guest_port, c->host_port, VIRTIO_VSOCK_RW);
    bool over = false;

    if (take_flag(&c->want_reset)) {
        h.op = VIRTIO_VSOCK_RST;
        over = true;
    } else if (take_flag(&c->want_request)) {
        h.op = VIRTIO_VSOCK_REQUEST;
    } else if (take_flag(&c->want_response)) {
        h.op = VIRTIO_VSOCK_RESPONSE;
    } else if (take_flag(&c->want_shutdown)) {
        h.op = VIRTIO_VSOCK_SHUTDOWN;
        h.flags = c->host_ends;
    } else if (vsock_connection_wants_data(c) && vsock_connection_credit(c) > 0) {
        if (!read_data(v, c, chain, &h))
            return 0;
    } else if (take_flag(&c->want_credit)) {
        h.op = VIRTIO_VSOCK_CREDIT_UPDATE;
    } else {
        h.op = VIRTIO_VSOCK_CREDIT_REQUEST;
        c->asked_credit = true;
    }
    c->want_credit = false; /* each packet has the credit */
    c->told = c->forwarded;
    h.buffer = VSOCK_BUFFER;
    h.forwarded = c->forwarded;
    if (virtio_write(&v->device.virtio, chain, 0, &h, HEADER) != VIRTIO_OK)
        virtio_broken(&v->device.virtio, "a buffer that cannot be written");
    if (over)
        vsock_connection_end(v, c);
    return HEADER + h.size;
}

static void make_refusal(struct vsock *v, const struct virtio_chain *chain)
{
    struct vsock_connections *all = v->connections;
    struct vsock_refusal *r = &all->refusals[all->first_refusal];
    struct virtio_vsock_header h = header_for(v, r->guest_port, r->host_port, VIRTIO_VSOCK_RST);

    all->first_refusal = (all->first_refusal + 1) % VSOCK_REFUSALS_MAX;
    all->refusal_count--;
    if (virtio_write(&v->device.virtio, chain, 0, &h, HEADER) != VIRTIO_OK)
        virtio_broken(&v->device.virtio, "a buffer that cannot be written");
}

static bool give_packets(struct vsock *v)
{
    struct virtio *dev = &v->device.virtio;
    struct vsock_connections *all = v->connections;
    struct virtio_chain chain;
    uint32_t size;

    virtio_stop_listening(dev, VIRTIO_VSOCK_RECEIVE);
    for (unsigned i = 0; i < BATCH; i++) {
        struct vsock_connection *c = all->refusal_count > 0 ? NULL : vsock_connection_choose(all);

        if (c == NULL && all->refusal_count == 0)
            return false;
        if (!pop(v, VIRTIO_VSOCK_RECEIVE, &chain))
            return listen(v, VIRTIO_VSOCK_RECEIVE);
        if (chain.writable <= HEADER) {
            virtio_broken(dev, "a buffer without room for a packet");
            virtio_unpop(dev, &chain);
            return false;
        }
        if (c == NULL) {
            make_refusal(v, &chain);
            size = HEADER;
        } else {
            size = make_packet(v, c, &chain);
        }
        if (size > 0)
            push(v, &chain, size);
        else
            virtio_unpop(dev, &chain);
    }
    return true;
}

/* After a saved state is loaded, the guest still believes in its connections: tells it that all are
 * gone. A guest without a buffer for events gets a reset when it uses a connection. */
static void give_event(struct vsock *v)
{
    static const uint32_t event = VIRTIO_VSOCK_TRANSPORT_RESET;
    struct virtio *dev = &v->device.virtio;
    uint16_t offered;
    struct virtio_chain chain;

    if (v->saved.reset == VSOCK_NO_RESET)
        return;
    offered = virtio_offered(dev, VIRTIO_VSOCK_EVENT);
    if (v->saved.reset == VSOCK_RESET_TOLD) {
        if (offered != v->saved.offered)
            v->saved.reset = VSOCK_NO_RESET;
        return;
    }
    if (!pop(v, VIRTIO_VSOCK_EVENT, &chain))
        return;
    if (virtio_write(dev, &chain, 0, &event, sizeof event) == VIRTIO_OK) {
        v->saved.reset = VSOCK_RESET_TOLD;
        v->saved.offered = offered;
        push(v, &chain, sizeof event);
    } else {
        virtio_broken(dev, "an event buffer that is too short");
        push(v, &chain, 0);
    }
}

/* --- clients --- */

/* Reads a line "CONNECT PORT\n" byte by byte, because the bytes behind it are for the guest. */
static void read_command(struct vsock *v, struct vsock_connection *c)
{
    struct vsock_connections *all = v->connections;
    uint32_t *last = &v->saved.last_port;
    unsigned long port;
    char *rest;

    while (c->command_size < VSOCK_COMMAND_MAX - 1) {
        char *at = &c->command[c->command_size];
        int64_t n = v->host->ops->read(v->host, c->fd, &(struct virtio_piece){at, 1}, 1);

        if (n == -EAGAIN) {
            c->readable = false;
            return;
        }
        if (n != 1)
            break;
        if (*at == '\n') {
            *at = '\0';
            port = strtoul(c->command + 8, &rest, 10);
            if (strncmp(c->command, "CONNECT ", 8) != 0 || rest == c->command + 8 ||
                *rest != '\0' || c->command[8] == '-' || port > UINT32_MAX)
                break;
            do
                *last = *last < UINT32_MAX ? *last + 1 : VSOCK_FIRST_PORT;
            while (vsock_connection_find(all, (uint32_t)port, *last) != NULL);
            vsock_connection_name(all, c, (uint32_t)port, *last);
            c->phase = VSOCK_REQUESTED;
            c->want_request = true;
            return;
        }
        c->command_size++;
    }
    vsock_connection_end(v, c);
}

static bool accept_clients(struct vsock *v)
{
    struct vsock_connections *all = v->connections;

    for (unsigned i = 0; i < BATCH && all->knocking; i++) {
        struct vsock_connection *c = vsock_connection_free(v);
        int fd;

        if (c == NULL)
            return false; /* vsock_run calls this again when a connection has ended */
        fd = v->host->ops->accept(v->host, (uint16_t)(c - all->at));
        if (fd >= 0)
            vsock_connection_begin(all, c, VSOCK_ASKED, fd);
        else if (fd == -EAGAIN)
            all->knocking = false;
    }
    return all->knocking;
}

static bool collect_news(struct vsock *v)
{
    struct vsock_news news[NEWS];
    unsigned count = v->host->ops->news(v->host, news, NEWS);

    for (unsigned i = 0; i < count; i++) {
        struct vsock_connection *c = &v->connections->at[news[i].tag % VSOCK_CONNECTIONS_MAX];

        if (news[i].tag == VSOCK_LISTENER) {
            v->connections->knocking = true;
        } else if (c->phase != VSOCK_FREE) {
            c->readable |= news[i].readable;
            c->writable |= news[i].writable;
        }
    }
    return count == NEWS;
}

/* Whether something that waited for room can go on now. */
static bool can_go_on(struct vsock *v)
{
    return (v->connections->held && v->connections->refusal_count < VSOCK_REFUSALS_MAX) ||
           (v->connections->knocking && vsock_connection_free(v) != NULL);
}

static bool vsock_run(struct virtio_device *device)
{
    struct vsock *v = vsock_of(device);
    bool more;

    if (!virtio_device_is_open(device))
        return false;
    more = collect_news(v);
    more |= accept_clients(v);
    for (unsigned i = 0; i < v->connections->end; i++) {
        struct vsock_connection *c = &v->connections->at[i];

        if (c->phase == VSOCK_ASKED && c->readable)
            read_command(v, c);
        else if (c->phase == VSOCK_OPEN && c->used > 0 && c->writable)
            vsock_connection_drain(v, c);
    }
    give_event(v);
    more |= take_packets(v);
    if (v->saved.reset != VSOCK_RESET_TOLD)
        more |= give_packets(v);
    return more || can_go_on(v);
}

static void on_reset(struct virtio *dev)
{
    struct vsock *v = dev->context;

    v->saved.reset = VSOCK_NO_RESET;
    vsock_connection_end_all(v);
}

static void *vsock_state(struct virtio_device *device)
{
    return &vsock_of(device)->saved;
}

static bool vsock_loaded(struct virtio_device *device)
{
    struct vsock *v = vsock_of(device);

    if (v->saved.reset > VSOCK_RESET_TOLD || v->saved.last_port < VSOCK_FIRST_PORT)
        return false;
    v->saved.reset = VSOCK_RESET_DUE;
    vsock_connection_end_all(v);
    return true;
}

static void vsock_end(struct virtio_device *device)
{
    struct vsock *v = vsock_of(device);

    vsock_connection_end_all(v);
    free(v->connections);
    v->connections = NULL;
}

static const struct virtio_kind kind = {
    .virtio = {.name = "vsock",
               .id = VIRTIO_ID_VSOCK,
               .queues = VIRTIO_VSOCK_QUEUES,
               .reset = on_reset},
    .run = vsock_run,
    .state = vsock_state,
    .state_size = sizeof(struct vsock_saved),
    .loaded = vsock_loaded,
    .close = vsock_end,
};

int vsock_init(struct vsock *v, const struct backend *backend, unsigned index, uint64_t cid,
               struct vsock_host *host, struct error *error)
{
    *v = (struct vsock){.host = host, .config.guest_cid = cid};
    v->connections = calloc(1, sizeof *v->connections);
    if (v->connections == NULL)
        return error_set(error, "out of memory for the guest's sockets");
    for (unsigned i = 0; i < VSOCK_BUCKETS; i++)
        v->connections->bucket[i] = -1;
    v->saved.last_port = VSOCK_FIRST_PORT;
    v->connections->knocking = true;
    virtio_device_init(&v->device, &kind, backend, index, 0, VSOCK_QUEUE_SIZE, &v->config,
                       sizeof v->config);
    v->device.fd = host->fd;
    return 0;
}
