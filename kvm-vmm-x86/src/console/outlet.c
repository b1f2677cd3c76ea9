/* What a port leads to; see outlet.h. */
#include "console/outlet.h"

#include <errno.h>
#include <stdio.h>

#include "base/endpoint.h"

/* Nothing reports that a terminal is opened, or that a client goes which has already shut down its
 * sending side: both are polled. */
#define LOOK UINT64_C(100000000)

static void set_takes(struct outlet *o, bool takes)
{
    o->takes = takes;
    o->takes_changed(o->context, takes);
}

/* The other end is connected. */
static void arrive(struct outlet *o, struct stream stream)
{
    o->stream = stream;
    o->source.fd = stream.fd;
    o->sends = o->kind != SERIAL_FILE && o->kind != SERIAL_DESCRIPTOR;
    set_takes(o, true);
}

void outlet_hang_up(struct outlet *o)
{
    events_want(&o->source, 0);
    set_takes(o, false);
    o->sends = false;
    if (o->kind == SERIAL_UNIX) {
        socket_hang_up(&o->server);
        o->stream.fd = -1;
    }
}

/* A socket's client that sends no more may still read. */
size_t outlet_read(struct outlet *o, void *bytes, size_t room)
{
    int n = o->sends && room > 0 ? stream_read(&o->stream, bytes, room) : -EAGAIN;

    if (n > 0)
        return (size_t)n;
    if (n == -EAGAIN)
        return 0;
    o->sends = false;
    if (n < 0 || !o->takes || o->kind == SERIAL_DESCRIPTOR || stream_is_hung_up(&o->stream))
        outlet_hang_up(o);
    return 0;
}

/* If a socket's client reads no more, what it has sent before is still read to its end. */
size_t outlet_write(struct outlet *o, const void *bytes, size_t count)
{
    int n = o->takes && count > 0 ? stream_write(&o->stream, bytes, count) : -EAGAIN;

    if (n > 0)
        return (size_t)n;
    if (n == -EAGAIN)
        return 0;
    if (o->kind == SERIAL_FILE || (o->kind == SERIAL_DESCRIPTOR && n != -EPIPE))
        o->failure = n;
    set_takes(o, false);
    if (!o->sends || o->kind == SERIAL_PTY)
        outlet_hang_up(o);
    return 0;
}

static void on_knock(void *context)
{
    struct outlet *o = context;

    if (o->server.client >= 0 && stream_is_hung_up(&o->stream))
        outlet_hang_up(o);
    if (socket_accept(&o->server))
        arrive(o, socket_stream(&o->server));
}

static void on_look(void *context)
{
    struct outlet *o = context;
    bool gone = outlet_is_open(o) && stream_is_hung_up(&o->stream);

    if (o->sends || !outlet_is_open(o))
        return;
    if (o->kind == SERIAL_PTY && !gone)
        arrive(o, o->stream);
    else if (o->kind == SERIAL_UNIX && gone)
        outlet_hang_up(o);
}

void outlet_want(struct outlet *o, bool read, bool write)
{
    if (!outlet_is_open(o))
        return;
    events_want(&o->source,
                (o->sends && read ? EVENTS_READ : 0) | (o->takes && write ? EVENTS_WRITE : 0));
    if (!o->sends && (o->kind == SERIAL_PTY || o->kind == SERIAL_UNIX) && !o->look.running)
        events_timer_start(&o->look, LOOK);
}

static int open_file(struct outlet *o, unsigned guest, const char *option, const char *path,
                     bool append, struct error *error)
{
    struct stream stream;
    char name[4096];
    int length = guest == 0 ? snprintf(name, sizeof name, "%s", path)
                            : snprintf(name, sizeof name, "%s.%u", path, guest);

    if (length >= (int)sizeof name)
        return error_set(error, "%s: the path of the file is too long", option);
    if (stream_open_file(&stream, name, append, error) < 0)
        return -1;
    arrive(o, stream);
    return 0;
}

static int open_unix(struct outlet *o, unsigned guest, const char *option, const char *path,
                     char where[OUTLET_WHERE_MAX], struct error *error)
{
    struct endpoint address;

    if (endpoint_unix(&address, option, path, guest, error) < 0 ||
        socket_open(&o->server, &address, error) < 0)
        return -1;
    o->listener = (struct event_source){.fd = o->server.listener, .ready = on_knock, .context = o};
    events_want(&o->listener, EVENTS_READ);
    snprintf(where, OUTLET_WHERE_MAX, "unix:%s", o->server.path);
    return 0;
}

void outlet_init(struct outlet *o, enum serial_kind kind,
                 void (*takes_changed)(void *context, bool takes), void (*ready)(void *context),
                 void *context)
{
    *o = (struct outlet){.kind = kind,
                         .takes_changed = takes_changed,
                         .context = context,
                         .stream.fd = -1,
                         .server = {.listener = -1, .client = -1, .spare = -1},
                         .source = {.fd = -1, .ready = ready, .context = context},
                         .look = {.expired = on_look, .context = o}};
}

int outlet_open(struct outlet *o, unsigned guest, const char *option, const char *path, bool append,
                char where[OUTLET_WHERE_MAX], struct error *error)
{
    struct stream stream;

    where[0] = '\0';
    switch (o->kind) {
    case SERIAL_PTY:
        if (stream_open_pty(&o->stream, where, error) < 0)
            return -1;
        o->source.fd = o->stream.fd;
        return 0;
    case SERIAL_FILE:
        return open_file(o, guest, option, path, append, error);
    case SERIAL_UNIX:
        return open_unix(o, guest, option, path, where, error);
    case SERIAL_DESCRIPTOR:
        stream_open(&stream, o->fd);
        arrive(o, stream);
        return 0;
    case SERIAL_KEPT:
        return 0;
    default: /* the caller moves the bytes */
        o->sends = true;
        set_takes(o, true);
        return 0;
    }
}

size_t outlet_unread(const struct outlet *o)
{
    return o->kind == SERIAL_PTY && o->takes ? stream_pty_unread(&o->stream) : 0;
}

void outlet_close(struct outlet *o)
{
    events_timer_stop(&o->look);
    outlet_hang_up(o);
    events_want(&o->listener, 0);
    if (o->kind == SERIAL_UNIX)
        socket_close(&o->server);
    else if (outlet_is_open(o) && o->kind != SERIAL_DESCRIPTOR)
        stream_close(&o->stream);
    o->stream.fd = -1;
    o->kind = SERIAL_KEPT; /* a second call does nothing */
}
