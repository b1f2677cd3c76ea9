/*
 * The virtio console device; see console.h.
 *
 * No request is kept between two calls of run: one whose bytes do not all fit goes back to its
 * queue, and `skip` counts the bytes already taken. So a reset, a pause or a save finds no request
 * in flight.
 */
#include "dev/virtio/console.h"

#include <stdio.h>
#include <string.h>

/* Requests of one queue served before the lock is released for others. */
enum { BATCH = 16 };

/* Port 0 has queues 0 and 1, then come the control queues, then the other ports (5.3.2). */
enum { CONTROL_IN = 2, CONTROL_OUT = 3 };

static unsigned queue_in(unsigned port)
{
    return port == 0 ? 0 : 2 + 2 * port;
}

static unsigned queue_out(unsigned port)
{
    return queue_in(port) + 1;
}

static struct virtio_console *console_of(struct virtio_device *device)
{
    return (struct virtio_console *)device;
}

static bool is_multiport(const struct virtio_console *c)
{
    return virtio_has(&c->device.virtio, VIRTIO_CONSOLE_F_MULTIPORT);
}

/* A request with room for its parts. */
struct request {
    struct virtio_chain chain;
    struct virtio_part parts[VIRTIO_CONSOLE_QUEUE_SIZE];
};

static bool pop(struct virtio_console *c, unsigned queue, struct request *r)
{
    r->chain = (struct virtio_chain){.part = r->parts, .room = VIRTIO_CONSOLE_QUEUE_SIZE};
    return virtio_pop(&c->device.virtio, queue, &r->chain);
}

static void push(struct virtio_console *c, struct request *r, uint32_t written)
{
    if (virtio_push(&c->device.virtio, &r->chain, written) != VIRTIO_OK)
        virtio_broken(&c->device.virtio, "a used ring that cannot be written");
}

static bool listen(struct virtio_console *c, unsigned queue)
{
    return virtio_listen(&c->device.virtio, queue) == VIRTIO_MORE;
}

/* --- the control queues --- */

static void on_port_ready(struct virtio_console *c, unsigned i)
{
    const struct channel *channel = c->channels->at[i];
    struct virtio_console_port *port = &c->state.port[i];

    port->ready = true;
    port->told_open = false;
    port->pending |= 1u << VIRTIO_CONSOLE_PORT_NAME;
    if (channel->console)
        port->pending |= 1u << VIRTIO_CONSOLE_CONSOLE_PORT | 1u << VIRTIO_CONSOLE_RESIZE;
}

static void on_control(struct virtio_console *c, const struct virtio_console_control *message)
{
    struct virtio_console_port *port;

    if (message->event == VIRTIO_CONSOLE_DEVICE_READY && message->value == 1)
        for (unsigned i = 0; i < c->channels->count; i++)
            c->state.port[i].pending |= 1u << VIRTIO_CONSOLE_PORT_ADD;
    if (message->port >= c->channels->count)
        return;
    port = &c->state.port[message->port];
    if (message->event == VIRTIO_CONSOLE_PORT_READY && message->value == 1)
        on_port_ready(c, message->port);
    if (message->event == VIRTIO_CONSOLE_PORT_OPEN && message->value != 0) {
        port->open = true;
        port->closing = false;
        channel_set_guest_open(c->channels->at[message->port], true);
    }
    if (message->event == VIRTIO_CONSOLE_PORT_OPEN && message->value == 0)
        port->closing = port->open;
}

static bool take_control(struct virtio_console *c)
{
    struct virtio_console_control message;
    struct request r;

    virtio_stop_listening(&c->device.virtio, CONTROL_OUT);
    for (unsigned i = 0; i < BATCH; i++) {
        if (!pop(c, CONTROL_OUT, &r))
            return listen(c, CONTROL_OUT);
        if (virtio_read(&c->device.virtio, &r.chain, 0, &message, sizeof message) == VIRTIO_OK)
            on_control(c, &message);
        else
            virtio_broken(&c->device.virtio, "a control message that is too short");
        push(c, &r, 0);
    }
    return true;
}

/* False: the driver has no buffer for the message now. */
static bool send_control(struct virtio_console *c, unsigned port, enum virtio_console_event event,
                         unsigned value, const void *rest, uint32_t size)
{
    struct virtio_console_control message = {
        .port = port, .event = (uint16_t)event, .value = (uint16_t)value};
    struct virtio *v = &c->device.virtio;
    struct request r;

    if (!pop(c, CONTROL_IN, &r))
        return false;
    if (virtio_write(v, &r.chain, 0, &message, sizeof message) != VIRTIO_OK ||
        virtio_write(v, &r.chain, sizeof message, rest, size) != VIRTIO_OK)
        virtio_broken(v, "a buffer that is too short for a control message");
    push(c, &r, (uint32_t)sizeof message + size);
    return true;
}

static bool send_event(struct virtio_console *c, unsigned i, enum virtio_console_event event)
{
    struct channel *channel = c->channels->at[i];
    struct virtio_console_size size = {.rows = c->config.rows, .columns = c->config.columns};

    switch (event) {
    case VIRTIO_CONSOLE_PORT_NAME:
        return channel->name[0] == '\0' ||
               send_control(c, i, event, 1, channel->name, (uint32_t)strlen(channel->name));
    case VIRTIO_CONSOLE_RESIZE:
        return size.columns == 0 || send_control(c, i, event, 0, &size, sizeof size);
    default:
        return send_control(c, i, event, 1, NULL, 0);
    }
}

/* In this order: the driver must know a port before it gets the port's name. */
static bool send_pending(struct virtio_console *c, unsigned i)
{
    static const enum virtio_console_event order[] = {
        VIRTIO_CONSOLE_PORT_ADD, VIRTIO_CONSOLE_CONSOLE_PORT, VIRTIO_CONSOLE_PORT_NAME,
        VIRTIO_CONSOLE_RESIZE};
    struct virtio_console_port *port = &c->state.port[i];
    bool open;

    for (unsigned k = 0; k < sizeof order / sizeof order[0]; k++) {
        if (!(port->pending & 1u << order[k]))
            continue;
        if (!send_event(c, i, order[k]))
            return false;
        port->pending &= (uint8_t) ~(1u << order[k]);
    }
    open = channel_host_is_open(c->channels->at[i]);
    if (!port->ready || port->told_open == open)
        return true;
    port->told_open = open;
    if (send_control(c, i, VIRTIO_CONSOLE_PORT_OPEN, open, NULL, 0))
        return true;
    port->told_open = !open;
    return false;
}

static bool give_control(struct virtio_console *c)
{
    for (unsigned i = 0; i < c->channels->count; i++)
        if (!send_pending(c, i))
            return listen(c, CONTROL_IN);
    return false;
}

/* --- the ports' queues --- */

/* Gives the request's bytes to the host; true if it took all the rest. */
static bool put(struct virtio_console *c, unsigned i, const struct request *r)
{
    struct virtio_console_port *port = &c->state.port[i];
    struct virtio_piece piece;
    unsigned count;

    while (port->skip < r->chain.readable) {
        uint64_t size = r->chain.readable - port->skip;
        size_t taken;

        if (virtio_pieces(&c->device.virtio, &r->chain, false, port->skip, &size, &piece, 1,
                          &count) != VIRTIO_OK)
            break;
        taken = channel_put(c->channels->at[i], piece.at, size);
        port->skip += (uint32_t)taken;
        if (taken < size)
            return false;
    }
    port->skip = 0;
    return true;
}

static bool take_output(struct virtio_console *c, unsigned i)
{
    struct virtio_console_port *port = &c->state.port[i];
    unsigned queue = queue_out(i);
    struct request r;

    virtio_stop_listening(&c->device.virtio, queue);
    for (unsigned k = 0; k < BATCH; k++) {
        if (!pop(c, queue, &r)) {
            if (listen(c, queue))
                return true;
            if (port->closing) {
                port->closing = port->open = false;
                channel_set_guest_open(c->channels->at[i], false);
            }
            return false;
        }
        if (r.chain.readable > UINT32_MAX) {
            virtio_broken(&c->device.virtio, "a request of more than 4 GB");
            virtio_unpop(&c->device.virtio, &r.chain);
            return false;
        }
        if (!put(c, i, &r)) {
            virtio_unpop(&c->device.virtio, &r.chain);
            return false; /* the channel wakes us */
        }
        push(c, &r, 0);
    }
    return true;
}

static bool give_input(struct virtio_console *c, unsigned i)
{
    struct channel *channel = c->channels->at[i];
    struct virtio *v = &c->device.virtio;
    unsigned queue = queue_in(i), count;
    struct virtio_piece pieces[4];
    struct request r;

    for (unsigned k = 0; k < BATCH; k++) {
        uint64_t size, written = 0;

        if (!c->state.port[i].open || channel_pending(channel) == 0)
            return false;
        if (!pop(c, queue, &r))
            return listen(c, queue);
        size = r.chain.writable;
        if (size == 0 || virtio_pieces(v, &r.chain, true, 0, &size, pieces, 4, &count) != VIRTIO_OK)
            count = 0;
        for (unsigned p = 0; p < count; p++)
            written += channel_take(channel, pieces[p].at, pieces[p].size);
        push(c, &r, (uint32_t)written);
    }
    return true;
}

static void take_size(struct virtio_console *c, unsigned i)
{
    uint16_t rows, columns;

    if (!channel_take_size(c->channels->at[i], &rows, &columns) || !c->channels->at[i]->console)
        return;
    c->config.rows = rows;
    c->config.columns = columns;
    if (!is_multiport(c))
        virtio_config_changed(&c->device.virtio);
    else if (c->state.port[i].ready)
        c->state.port[i].pending |= 1u << VIRTIO_CONSOLE_RESIZE;
}

static bool console_run(struct virtio_device *device)
{
    struct virtio_console *c = console_of(device);
    unsigned count = is_multiport(c) ? c->channels->count : 1;
    bool more = false;

    for (unsigned i = 0; i < count; i++)
        take_size(c, i);
    if (!virtio_device_is_open(device))
        return false;
    if (is_multiport(c))
        more |= take_control(c);
    for (unsigned i = 0; i < count; i++) {
        more |= take_output(c, i);
        more |= give_input(c, i);
    }
    if (is_multiport(c))
        more |= give_control(c); /* last: a port closes after its bytes */
    return more;
}

static void update_channels(struct virtio_console *c)
{
    for (unsigned i = 0; i < c->channels->count; i++)
        channel_set_guest_open(c->channels->at[i], c->state.port[i].open);
}

static void on_reset(struct virtio *v)
{
    struct virtio_console *c = v->context;

    c->state = (struct virtio_console_state){0};
    update_channels(c);
}

static void on_started(struct virtio *v)
{
    struct virtio_console *c = v->context;

    if (is_multiport(c))
        return;
    c->state.port[0].open = c->state.port[0].ready = true;
    update_channels(c);
}

static void *console_state(struct virtio_device *device)
{
    return &console_of(device)->state;
}

static bool is_flag(const bool *flag)
{
    return *(const uint8_t *)flag <= 1;
}

/* The terminal on this host may have another size. */
static bool console_loaded(struct virtio_device *device)
{
    struct virtio_console *c = console_of(device);

    for (unsigned i = 0; i < CHANNELS_MAX; i++) {
        struct virtio_console_port *p = &c->state.port[i];

        if (!is_flag(&p->ready) || !is_flag(&p->told_open) || !is_flag(&p->open) ||
            !is_flag(&p->closing) || (i >= c->channels->count && (p->ready || p->open)))
            return false;
        if (p->ready && c->channels->at[i]->console)
            p->pending |= 1u << VIRTIO_CONSOLE_RESIZE;
    }
    update_channels(c);
    return true;
}

static const struct virtio_kind kind = {
    .virtio = {.name = "console",
               .id = VIRTIO_ID_CONSOLE,
               .queues = 2 + 2 * CHANNELS_MAX,
               .started = on_started,
               .reset = on_reset},
    .run = console_run,
    .state = console_state,
    .state_size = sizeof(struct virtio_console_state),
    .loaded = console_loaded,
};
_Static_assert(2 + 2 * CHANNELS_MAX <= VIRTIO_QUEUES_MAX, "each port has two");

void virtio_console_init(struct virtio_console *c, const struct backend *backend, unsigned index,
                         const struct channels *channels)
{
    *c = (struct virtio_console){.channels = channels, .config.max_nr_ports = channels->count};
    virtio_device_init(&c->device, &kind, backend, index,
                       VIRTIO_CONSOLE_F_SIZE | VIRTIO_CONSOLE_F_MULTIPORT,
                       VIRTIO_CONSOLE_QUEUE_SIZE, &c->config, sizeof c->config);
    c->device.fd = channels->fd;
    /* A guest that restarts gets the size as well. */
    for (unsigned i = 0; i < channels->count; i++)
        if (channels->at[i]->console) {
            c->config.rows = channels->at[i]->rows;
            c->config.columns = channels->at[i]->columns;
        }
}
