/* Connections of a virtio socket device; see vsock_connection.h. */
#include "dev/virtio/vsock_connection.h"

#include <errno.h>
#include <stdlib.h>

static int16_t *bucket_of(struct vsock_connections *all, uint32_t guest_port, uint32_t host_port)
{
    return &all->bucket[(guest_port * 2654435761u ^ host_port * 2246822519u) >> 24];
}

struct vsock_connection *vsock_connection_find(struct vsock_connections *all, uint32_t guest_port,
                                               uint32_t host_port)
{
    int16_t i = *bucket_of(all, guest_port, host_port);

    while (i >= 0 && (all->at[i].guest_port != guest_port || all->at[i].host_port != host_port))
        i = all->at[i].next;
    return i >= 0 ? &all->at[i] : NULL;
}

/* Puts the connection into the bucket of its ports, which are known now. */
void vsock_connection_name(struct vsock_connections *all, struct vsock_connection *c,
                           uint32_t guest_port, uint32_t host_port)
{
    int16_t *bucket = bucket_of(all, guest_port, host_port);

    c->guest_port = guest_port;
    c->host_port = host_port;
    c->next = *bucket;
    *bucket = (int16_t)(c - all->at);
}

struct vsock_connection *vsock_connection_free(struct vsock *v)
{
    struct vsock_connections *all = v->connections;

    for (unsigned i = 0; i < VSOCK_CONNECTIONS_MAX && i < v->host->limit; i++)
        if (all->at[i].phase == VSOCK_FREE)
            return &all->at[i];
    return NULL;
}

void vsock_connection_begin(struct vsock_connections *all, struct vsock_connection *c,
                            enum vsock_phase phase, int fd)
{
    unsigned index = (unsigned)(c - all->at);

    *c = (struct vsock_connection){
        .phase = (uint8_t)phase, .fd = fd, .readable = true, .writable = true};
    if (index >= all->end)
        all->end = index + 1;
}

static void hang_up(struct vsock *v, struct vsock_connection *c)
{
    if (c->fd >= 0)
        v->host->ops->close(v->host, c->fd);
    c->fd = -1;
    free(c->buffer);
    c->buffer = NULL;
    c->used = 0;
}

void vsock_connection_end(struct vsock *v, struct vsock_connection *c)
{
    struct vsock_connections *all = v->connections;
    int16_t *at;

    if (c->phase != VSOCK_ASKED) {
        at = bucket_of(all, c->guest_port, c->host_port);
        while (*at != c - all->at)
            at = &all->at[*at].next;
        *at = c->next;
    }
    hang_up(v, c);
    c->phase = VSOCK_FREE;
    while (all->end > 0 && all->at[all->end - 1].phase == VSOCK_FREE)
        all->end--;
}

void vsock_connection_end_all(struct vsock *v)
{
    for (unsigned i = 0; i < VSOCK_CONNECTIONS_MAX; i++)
        if (v->connections->at[i].phase != VSOCK_FREE)
            vsock_connection_end(v, &v->connections->at[i]);
    v->connections->refusal_count = 0;
}

/* Ends the connection, and sends the guest a reset. */
void vsock_connection_break(struct vsock *v, struct vsock_connection *c)
{
    hang_up(v, c);
    c->phase = VSOCK_ENDING;
    c->want_reset = true;
}

/* unix(7): a write fails as soon as the other end is closed, although its earlier data can still be
 * read. */
void vsock_connection_lose_reader(struct vsock_connection *c)
{
    c->forwarded += c->used;
    c->used = 0;
    c->host_ends |= VIRTIO_VSOCK_SHUT_RECEIVE;
    c->output_ended = true;
    c->readable = true;
    c->want_shutdown = true;
}

/* The number of bytes that the guest has room for. */
uint32_t vsock_connection_credit(const struct vsock_connection *c)
{
    uint32_t used = c->sent - c->guest_forwarded;

    return used < c->guest_buffer ? c->guest_buffer - used : 0;
}

bool vsock_connection_wants_data(const struct vsock_connection *c)
{
    return c->phase == VSOCK_OPEN && c->readable && c->fd >= 0 &&
           !(c->host_ends & VIRTIO_VSOCK_SHUT_SEND) && !(c->guest_ends & VIRTIO_VSOCK_SHUT_RECEIVE);
}

/* Whether the connection has a packet for the guest now. Without credit it requests some once. */
static bool has_packet(const struct vsock_connection *c)
{
    bool data = vsock_connection_wants_data(c), credit = vsock_connection_credit(c) > 0;

    return c->want_reset || c->want_request || c->want_response || c->want_credit ||
           c->want_shutdown || (data && (credit || !c->asked_credit));
}

struct vsock_connection *vsock_connection_choose(struct vsock_connections *all)
{
    for (unsigned i = 0; i < all->end; i++) {
        unsigned at = (all->turn + i) % all->end;

        if (all->at[at].phase >= VSOCK_REQUESTED && has_packet(&all->at[at])) {
            all->turn = at + 1;
            return &all->at[at];
        }
    }
    return NULL;
}

static void want_credit_if_low(struct vsock_connection *c)
{
    /* VSOCK_BUFFER - (received - told) is the room that the guest knows of; at half it gets an
     * update. */
    if (c->told != c->forwarded && VSOCK_BUFFER - (c->received - c->told) <= VSOCK_BUFFER / 2)
        c->want_credit = true;
}

/* Whether both directions are closed and nothing is buffered. */
bool vsock_connection_is_over(const struct vsock_connection *c)
{
    return c->used == 0 &&
           (c->guest_ends & VIRTIO_VSOCK_SHUT_SEND || c->host_ends & VIRTIO_VSOCK_SHUT_RECEIVE) &&
           (c->guest_ends & VIRTIO_VSOCK_SHUT_RECEIVE || c->host_ends & VIRTIO_VSOCK_SHUT_SEND);
}

void vsock_connection_drain(struct vsock *v, struct vsock_connection *c)
{
    while (c->used > 0 && c->writable) {
        uint32_t first = VSOCK_BUFFER - c->head;
        struct virtio_piece piece = {c->buffer + c->head, c->used < first ? c->used : first};
        int64_t n = v->host->ops->write(v->host, c->fd, &piece, 1);

        if (n == -EAGAIN) {
            c->writable = false;
            break;
        }
        if (n <= 0) {
            vsock_connection_lose_reader(c);
            break;
        }
        c->head = (c->head + (uint32_t)n) % VSOCK_BUFFER;
        c->used -= (uint32_t)n;
        c->forwarded += (uint32_t)n;
    }
    want_credit_if_low(c);
    if (c->used > 0)
        return;
    free(c->buffer);
    c->buffer = NULL;
    if (vsock_connection_is_over(c)) {
        vsock_connection_break(v, c);
    } else if ((c->guest_ends & VIRTIO_VSOCK_SHUT_SEND) && !c->output_ended) {
        v->host->ops->end_output(v->host, c->fd);
        c->output_ended = true;
    }
}

/* Buffers the bytes of a packet that the host does not take now. */
static void keep(struct vsock *v, struct vsock_connection *c, const struct virtio_chain *chain,
                 uint32_t done, uint32_t size)
{
    if (c->buffer == NULL)
        c->buffer = malloc(VSOCK_BUFFER);
    if (c->buffer == NULL) {
        vsock_connection_break(v, c);
        return;
    }
    while (done < size) {
        uint32_t at = (c->head + c->used) % VSOCK_BUFFER, n = size - done;

        if (n > VSOCK_BUFFER - at)
            n = VSOCK_BUFFER - at;
        if (virtio_read(&v->device.virtio, chain, VSOCK_HEADER + done, c->buffer + at, n) !=
            VIRTIO_OK) {
            vsock_connection_break(v, c);
            return;
        }
        c->used += n;
        done += n;
    }
}

void vsock_connection_take(struct vsock *v, struct vsock_connection *c,
                           const struct virtio_chain *chain, uint32_t size)
{
    struct virtio_piece pieces[VSOCK_PIECES];
    uint64_t direct = size;
    unsigned count;
    int64_t n = 0;

    /* The guest sent more than its credit, or after it shut down its sending side. */
    if (size > VSOCK_BUFFER - (c->received - c->forwarded) ||
        (c->guest_ends & VIRTIO_VSOCK_SHUT_SEND)) {
        vsock_connection_break(v, c);
        return;
    }
    c->received += size;
    if (size > 0 && c->used == 0 && c->writable && !(c->host_ends & VIRTIO_VSOCK_SHUT_RECEIVE) &&
        virtio_pieces(&v->device.virtio, chain, false, VSOCK_HEADER, &direct, pieces, VSOCK_PIECES,
                      &count) == VIRTIO_OK)
        n = v->host->ops->write(v->host, c->fd, pieces, count);
    if (n == -EAGAIN) {
        c->writable = false;
        n = 0;
    }
    if (n < 0)
        vsock_connection_lose_reader(c);
    if (c->host_ends & VIRTIO_VSOCK_SHUT_RECEIVE)
        n = size; /* dropped */
    c->forwarded += (uint32_t)n;
    if (n < size)
        keep(v, c, chain, (uint32_t)n, size);
    if (c->phase == VSOCK_OPEN)
        vsock_connection_drain(v, c);
}
