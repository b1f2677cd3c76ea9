/* Ports of virtio consoles to elsewhere; see links.h. */
#include "console/links.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/endpoint.h"
#include "console/console.h"
#include "console/input.h"
#include "console/streams.h"
#include "host/events.h"
#include "host/notifier.h"
#include "host/socket.h"
#include "host/stream.h"
#include "host/terminal.h"

enum { PIECE = 4096, LOOK_MS = 100, CTRL_D = 4, LINE = 512 };

#define MS UINT64_C(1000000)

/* All but the channel is the main thread's. */
struct link {
    struct channel channel;
    unsigned guest;
    enum serial_kind kind;
    bool ctrl_d;          /* the end of standard input shall be seen as one */
    struct stream stream; /* fd -1: not open */
    struct socket_server server;
    struct event_source source, listener;
    struct event_timer timer;
    bool sends;  /* input may come from the other end */
    bool opened; /* the guest has had its end open since the other end came */
    int failure;
    int fd;                         /* of SERIAL_DESCRIPTOR */
    void (*take)(const char *line); /* of SERIAL_CONTROL */
    char line[LINE];
    size_t line_used;
};

static struct {
    struct link at[GUESTS_MAX][CHANNELS_MAX];
    struct channels channels[GUESTS_MAX];
    struct notifier bells[GUESTS_MAX];
} links;

static void on_news(void *context)
{
    (void)context;
    events_wake();
}

static void ring_bell(void *context)
{
    notifier_signal(&links.bells[((struct link *)context)->guest]);
}

static void arrive(struct link *l, struct stream stream)
{
    l->stream = stream;
    l->source.fd = stream.fd;
    l->sends = l->kind != SERIAL_FILE && l->kind != SERIAL_DESCRIPTOR;
    l->opened = false;
    channel_set_open(&l->channel, true);
}

/* A terminal stays, for the next who opens it. */
static void leave(struct link *l)
{
    size_t left;

    events_want(&l->source, 0);
    channel_set_open(&l->channel, false);
    while (channel_peek(&l->channel, &left), left > 0) /* for one who is not there any more */
        channel_drop(&l->channel, left);
    l->sends = false;
    if (l->kind == SERIAL_UNIX) {
        socket_hang_up(&l->server);
        l->stream.fd = -1;
    }
}

/* --- standard input and output --- */

static void service_stdio(struct link *l)
{
    const uint8_t *bytes;
    size_t count, room = channel_room(&l->channel);
    uint8_t byte;
    int got = INPUT_NONE;

    while (!console_is_full(l->guest) && (bytes = channel_peek(&l->channel, &count), count > 0)) {
        count = count < CONSOLE_WRITE_MAX ? count : CONSOLE_WRITE_MAX;
        vcpu_write(l->guest, bytes, count);
        channel_drop(&l->channel, count);
    }
    if (!channel_is_open(&l->channel))
        return;
    if (!l->opened)
        input_want(l->guest);
    l->opened = true;
    while (room-- > 0 && (got = input_take(l->guest)) >= 0) {
        byte = (uint8_t)got;
        (void)channel_write(&l->channel, &byte, 1);
    }
    if (got == INPUT_END && l->sends) {
        l->sends = false;
        byte = CTRL_D;
        if (l->ctrl_d)
            (void)channel_write(&l->channel, &byte, 1);
    }
}

/* --- what has a descriptor --- */

static void read_some(struct link *l)
{
    uint8_t bytes[PIECE];
    size_t room = channel_room(&l->channel);
    int n;

    if (!l->sends || room == 0)
        return;
    n = stream_read(&l->stream, bytes, room < sizeof bytes ? room : sizeof bytes);
    if (n > 0)
        (void)channel_write(&l->channel, bytes,
                            (size_t)n); /* there is room: this is the one writer */
    if (n > 0 || n == -EAGAIN)
        return;
    l->sends = false; /* it may still take */
    if (n < 0 || l->kind == SERIAL_DESCRIPTOR || stream_is_hung_up(&l->stream))
        leave(l);
}

static void write_some(struct link *l)
{
    size_t count;
    const uint8_t *bytes = channel_peek(&l->channel, &count);
    int n;

    if (l->stream.fd < 0 || count == 0)
        return;
    n = stream_write(&l->stream, bytes, count);
    if (n > 0)
        channel_drop(&l->channel, (size_t)n);
    if (n > 0 || n == -EAGAIN)
        return;
    if (l->kind == SERIAL_FILE || (l->kind == SERIAL_DESCRIPTOR && n != -EPIPE))
        l->failure = n;
    leave(l);
}

static void on_ready(void *context)
{
    read_some(context);
    write_some(context);
}

static void on_knock(void *context)
{
    struct link *l = context;

    if (l->server.client >= 0 && stream_is_hung_up(&l->stream))
        leave(l);
    if (socket_accept(&l->server))
        arrive(l, socket_stream(&l->server));
}

/* Whether a terminal was opened, and whether one that sends no more has gone, is looked for. */
static void on_timer(void *context)
{
    struct link *l = context;
    bool gone = l->stream.fd >= 0 && stream_is_hung_up(&l->stream);

    if (l->sends || l->stream.fd < 0)
        return;
    if (l->kind == SERIAL_PTY && !gone)
        arrive(l, l->stream);
    else if (l->kind == SERIAL_UNIX && gone)
        leave(l);
}

/* --- the program's own --- */

static void service_control(struct link *l)
{
    const uint8_t *bytes;
    size_t count;

    bytes = channel_peek(&l->channel, &count);
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != '\n') {
            if (l->line_used < LINE - 1) /* what is longer is cut */
                l->line[l->line_used++] = (char)bytes[i];
            continue;
        }
        l->line[l->line_used] = '\0';
        l->line_used = 0;
        l->take(l->line);
    }
    channel_drop(&l->channel, count);
    if (count > 0)
        events_wake(); /* there may be more, after the loop's other work */
}

void links_let_in(void)
{
    for (unsigned i = 0; i < links.channels[0].count; i++) {
        struct link *l = &links.at[0][i];

        if (l->kind == SERIAL_DESCRIPTOR && l->fd == STREAM_INPUT)
            l->sends = true;
    }
    events_wake(); /* it may have been served in this round already */
}

void links_send_control(const char *text)
{
    for (unsigned i = 0; i < links.channels[0].count; i++)
        if (links.at[0][i].kind == SERIAL_CONTROL)
            (void)channel_write(&links.at[0][i].channel, text, strlen(text));
}

static void service(struct link *l)
{
    bool open = channel_is_open(&l->channel);
    size_t count;

    if (l->kind == SERIAL_STDIO) {
        service_stdio(l);
        return;
    }
    if (l->kind == SERIAL_CONTROL) {
        service_control(l);
        return;
    }
    if (l->opened && !open && l->kind == SERIAL_UNIX && l->stream.fd >= 0)
        leave(l); /* the guest has closed its end: the client reads an end */
    l->opened = l->stream.fd >= 0 && (l->opened || open);
    (void)channel_peek(&l->channel, &count);
    if (l->stream.fd >= 0)
        events_want(&l->source, (l->sends && channel_room(&l->channel) > 0 ? EVENTS_READ : 0) |
                                    (count > 0 ? EVENTS_WRITE : 0));
    if (!l->timer.running && !l->sends && (l->kind == SERIAL_PTY || l->kind == SERIAL_UNIX) &&
        l->stream.fd >= 0)
        events_timer_start(&l->timer, LOOK_MS * MS);
}

void links_service(void)
{
    for (unsigned g = 0; g < GUESTS_MAX; g++)
        for (unsigned i = 0; i < links.channels[g].count; i++)
            service(&links.at[g][i]);
}

void links_resize(void)
{
    unsigned rows, columns;

    terminal_size(&rows, &columns);
    for (unsigned g = 0; g < GUESTS_MAX; g++)
        for (unsigned i = 0; i < links.channels[g].count; i++)
            if (links.at[g][i].kind == SERIAL_STDIO)
                channel_resize(&links.at[g][i].channel, rows, columns);
}

int links_failure(unsigned guest)
{
    for (unsigned i = 0; i < links.channels[guest].count; i++)
        if (links.at[guest][i].failure != 0)
            return links.at[guest][i].failure;
    return 0;
}

/* --- the beginning and the end --- */

static int open_pty(struct link *l, const char *image, struct error *error)
{
    char path[STREAM_PTY_NAME_MAX];

    if (stream_open_pty(&l->stream, path, error) < 0)
        return -1;
    l->source.fd = l->stream.fd;
    vcpu_printf(l->guest, "kvm-vmm: guest %u (%s): port %s at %s", l->guest, image,
                l->channel.name[0] != '\0' ? l->channel.name : "hvc0", path);
    return 0;
}

static int open_file(struct link *l, const char *path, struct error *error)
{
    struct stream stream;
    char name[4096];
    int length = l->guest == 0 ? snprintf(name, sizeof name, "%s", path)
                               : snprintf(name, sizeof name, "%s.%u", path, l->guest);

    if (length >= (int)sizeof name)
        return error_set(error, "--port, --console: the path of the file is too long");
    if (stream_open_file(&stream, name, error) < 0)
        return -1;
    arrive(l, stream);
    return 0;
}

static int open_unix(struct link *l, const char *path, struct error *error)
{
    struct endpoint address;

    if (endpoint_unix(&address, "--port", path, l->guest, error) < 0 ||
        socket_open(&l->server, &address, error) < 0)
        return -1;
    l->listener = (struct event_source){.fd = l->server.listener, .ready = on_knock, .context = l};
    events_want(&l->listener, EVENTS_READ);
    return 0;
}

static void make(struct link *l, unsigned guest, const struct guest_config *config,
                 const struct port_config *port)
{
    channel_init(&l->channel);
    memcpy(l->channel.name, port->name, port->name_length);
    l->channel.console = port->name_length == 0;
    l->channel.news = on_news;
    l->channel.wake = ring_bell;
    l->channel.context = l;
    l->guest = guest;
    l->kind = port->kind;
    l->fd = port->fd;
    l->take = port->take;
    l->ctrl_d = !config->no_ctrl_d;
    l->server = (struct socket_server){.listener = -1, .client = -1, .spare = -1};
    l->stream.fd = -1;
    l->source = (struct event_source){.fd = -1, .ready = on_ready, .context = l};
    l->timer = (struct event_timer){.expired = on_timer, .context = l};
}

int links_make(unsigned guest, const struct guest_config *config, struct channels **channels,
               struct error *error)
{
    struct channels *set = &links.channels[guest];

    *channels = NULL;
    if (config->port_count == 0)
        return 0;
    if (notifier_open(&links.bells[guest], error) < 0)
        return -1;
    set->fd = links.bells[guest].fd;
    for (unsigned i = 0; i < config->port_count; i++) {
        make(&links.at[guest][i], guest, config, &config->ports[i]);
        set->at[set->count++] = &links.at[guest][i].channel;
    }
    links_resize();
    *channels = set;
    return 0;
}

static int open_link(struct link *l, const char *image, const char *path, struct error *error)
{
    switch (l->kind) {
    case SERIAL_PTY:
        return open_pty(l, image, error);
    case SERIAL_FILE:
        return open_file(l, path, error);
    case SERIAL_UNIX:
        return open_unix(l, path, error);
    case SERIAL_DESCRIPTOR: {
        struct stream stream;

        stream_open(&stream, l->fd);
        arrive(l, stream);
        return 0;
    }
    default:
        l->sends = true;
        channel_set_open(&l->channel, true);
        return 0;
    }
}

int links_open(unsigned guest, const struct guest_config *config, struct error *error)
{
    for (unsigned i = 0; i < links.channels[guest].count; i++)
        if (open_link(&links.at[guest][i], config->image, config->ports[i].path, error) < 0)
            return -1;
    return 0;
}

/* What somebody is there to take. */
static size_t backlog(struct link *l)
{
    size_t count;

    (void)channel_peek(&l->channel, &count);
    return l->kind == SERIAL_STDIO || l->stream.fd >= 0 ? count : 0;
}

static void close_link(struct link *l)
{
    size_t left = backlog(l);

    if (left > 0)
        vcpu_printf(l->guest, "kvm-vmm: guest %u: %zu bytes of port %s were not read in time",
                    l->guest, left, l->channel.name[0] != '\0' ? l->channel.name : "hvc0");
    events_timer_stop(&l->timer);
    leave(l);
    events_want(&l->listener, 0);
    if (l->kind == SERIAL_UNIX)
        socket_close(&l->server);
    else if (l->kind == SERIAL_PTY || l->kind == SERIAL_FILE)
        stream_close(&l->stream);
}

void links_finish(void (*flush)(unsigned guest))
{
    bool waits = true, patient = true;

    while (waits && patient) {
        bool more = streams_service();

        waits = false;
        for (unsigned g = 0; g < GUESTS_MAX; g++)
            if (links.channels[g].count > 0)
                flush(g);
        links_service();
        for (unsigned g = 0; g < GUESTS_MAX; g++)
            for (unsigned i = 0; i < links.channels[g].count; i++)
                waits |= backlog(&links.at[g][i]) > 0;
        if (waits)
            patient = events_run_patiently(more ? 0 : EVENTS_FOREVER);
    }
    for (unsigned g = 0; g < GUESTS_MAX; g++) {
        for (unsigned i = 0; i < links.channels[g].count; i++)
            close_link(&links.at[g][i]);
        links.channels[g].count = 0;
    }
}
