/* The ports of guests; see ports.h. */
#include "console/ports.h"

#include <stdio.h>
#include <string.h>

#include "console/console.h"
#include "console/input.h"
#include "console/outlet.h"
#include "console/streams.h"
#include "dev/backend.h"
#include "host/events.h"
#include "host/notifier.h"
#include "host/terminal.h"

/* A serial port's output is written when there is a PIECE, or HOLD nanoseconds after it began. */
enum { PIECE = 4096, CTRL_D = 4, LINE = 512 };
#define HOLD UINT64_C(10000000)

/* Indices after those of a guest's virtio console ports. */
enum { SERIAL = CHANNELS_MAX, DEBUGCON, PORTS };

/* All but the channel belongs to the main thread. */
struct port {
    struct channel channel;
    struct outlet outlet;
    unsigned guest;
    unsigned reason; /* CONSOLE_PORT or CONSOLE_DEBUG; 0: of a virtio console */
    const char *option, *path;
    char name[CHANNEL_NAME_MAX + 8];
    struct event_timer hold;
    bool due;                       /* output is to be written now */
    bool opened;                    /* the guest's end was open since the other end came */
    bool ctrl_d;                    /* the end of standard input is sent to the guest as Ctrl-D */
    void (*take)(const char *line); /* of SERIAL_CONTROL */
    char line[LINE];
    size_t line_used;
};

static struct {
    void (*ready)(unsigned guest);
    bool finishing;
    struct port at[GUESTS_MAX][PORTS];     /* most are never touched, and take no memory: */
    struct port *made[GUESTS_MAX * PORTS]; /* those in use */
    unsigned made_count;
    struct channels channels[GUESTS_MAX];
    struct notifier bells[GUESTS_MAX];
} ports;

static void for_each(void (*call)(struct port *p))
{
    for (unsigned i = 0; i < ports.made_count; i++)
        call(ports.made[i]);
}

static void on_news(void *context)
{
    (void)context;
    events_wake();
}

static void wake_guest(void *context)
{
    const struct port *p = context;

    if (p->reason != 0)
        ports.ready(p->guest);
    else
        notifier_signal(&ports.bells[p->guest]);
}

static void set_full(void *context, bool full)
{
    const struct port *p = context;

    console_set_full(p->guest, p->reason, full);
}

/* The other end has connected or gone. */
static void on_takes(void *context, bool takes)
{
    struct port *p = context;

    p->opened &= !takes;
    p->due = takes; /* the output kept until now */
    channel_set_open(&p->channel, takes);
}

/* --- standard input and output --- */

static void service_stdio(struct port *p)
{
    const uint8_t *bytes;
    size_t count, room = channel_room(&p->channel);
    uint8_t byte;
    int got = INPUT_NONE;

    while (!console_is_full(p->guest) && (bytes = channel_peek(&p->channel, &count), count > 0)) {
        count = count < CONSOLE_WRITE_MAX ? count : CONSOLE_WRITE_MAX;
        vcpu_write(p->guest, bytes, count);
        channel_drop(&p->channel, count);
    }
    if (!channel_is_open(&p->channel))
        return;
    if (!p->opened)
        input_want(p->guest);
    p->opened = true;
    while (room-- > 0 && (got = input_take(p->guest)) >= 0) {
        byte = (uint8_t)got;
        (void)channel_write(&p->channel, &byte, 1);
    }
    if (got == INPUT_END && p->outlet.sends) {
        p->outlet.sends = false;
        byte = CTRL_D;
        if (p->ctrl_d)
            (void)channel_write(&p->channel, &byte, 1);
    }
}

/* --- the VMM's control port --- */

static void service_control(struct port *p)
{
    const uint8_t *bytes;
    size_t count;

    bytes = channel_peek(&p->channel, &count);
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != '\n') {
            if (p->line_used < LINE - 1) /* what is longer is cut */
                p->line[p->line_used++] = (char)bytes[i];
            continue;
        }
        p->line[p->line_used] = '\0';
        p->line_used = 0;
        p->take(p->line);
    }
    channel_drop(&p->channel, count);
    if (count > 0)
        events_wake(); /* there may be more to read, after the loop's other work */
}

void ports_send_control(const char *text)
{
    for (unsigned i = 0; i < ports.made_count; i++)
        if (ports.made[i]->outlet.kind == SERIAL_CONTROL)
            (void)channel_write(&ports.made[i]->channel, text, strlen(text));
}

void ports_let_in(void)
{
    for (unsigned i = 0; i < ports.made_count; i++) {
        struct outlet *o = &ports.made[i]->outlet;

        if (o->kind == SERIAL_DESCRIPTOR && o->fd == STREAM_INPUT)
            o->sends = true;
    }
    events_wake(); /* it may have been served in this round already */
}

/* --- ports with a descriptor --- */

static void on_ready(void *context)
{
    struct port *p = context;
    uint8_t bytes[PIECE];
    size_t room = channel_room(&p->channel), count;
    const uint8_t *output;

    count = outlet_read(&p->outlet, bytes, room < sizeof bytes ? room : sizeof bytes);
    if (count > 0) /* there is room: this is the only writer */
        (void)channel_write(&p->channel, bytes, count);
    output = channel_peek(&p->channel, &count);
    if (p->due && (count = outlet_write(&p->outlet, output, count)) > 0)
        channel_drop(&p->channel, count);
}

static void on_hold(void *context)
{
    ((struct port *)context)->due = true;
}

static void service(struct port *p)
{
    bool open = channel_is_open(&p->channel);
    size_t count;

    if (p->outlet.kind == SERIAL_STDIO) {
        service_stdio(p);
        return;
    }
    if (p->outlet.kind == SERIAL_CONTROL) {
        service_control(p);
        return;
    }
    if (p->opened && !open && p->outlet.kind == SERIAL_UNIX)
        outlet_hang_up(&p->outlet); /* the guest has closed its end: the client reads end of file */
    p->opened = outlet_is_open(&p->outlet) && (p->opened || open);
    (void)channel_peek(&p->channel, &count);
    p->due = count > 0 && (p->due || p->reason == 0 || count >= PIECE || ports.finishing);
    outlet_want(&p->outlet, channel_room(&p->channel) > 0, p->due);
    if (p->outlet.takes && count > 0 && !p->due && !p->hold.running)
        events_timer_start(&p->hold, HOLD);
}

void ports_service(void)
{
    for_each(service);
}

static void resize(struct port *p)
{
    unsigned rows, columns;

    if (p->outlet.kind != SERIAL_STDIO)
        return;
    terminal_size(&rows, &columns);
    channel_resize(&p->channel, rows, columns);
}

void ports_resize(void)
{
    for_each(resize);
}

int ports_failure(unsigned guest)
{
    for (unsigned i = 0; i < ports.made_count; i++)
        if (ports.made[i]->guest == guest && ports.made[i]->outlet.failure != 0)
            return ports.made[i]->outlet.failure;
    return 0;
}

/* --- for vCPUs --- */

void ports_putchar(unsigned guest, uint8_t byte)
{
    channel_putchar(&ports.at[guest][SERIAL].channel, byte);
}

void ports_debug_putchar(unsigned guest, uint8_t byte)
{
    channel_putchar(&ports.at[guest][DEBUGCON].channel, byte);
}

int ports_take(unsigned guest)
{
    uint8_t byte;

    return channel_take(&ports.at[guest][SERIAL].channel, &byte, 1) == 1 ? byte : INPUT_NONE;
}

int ports_pending(unsigned guest)
{
    return (int)channel_pending(&ports.at[guest][SERIAL].channel);
}

/* --- the beginning and the end --- */

void ports_init(void (*ready)(unsigned guest))
{
    ports.ready = ready;
}

static struct port *make(unsigned guest, unsigned at, enum serial_kind kind, const char *option,
                         const char *path)
{
    struct port *p = &ports.at[guest][at];

    channel_init(&p->channel);
    p->channel.news = on_news;
    p->channel.wake = wake_guest;
    p->channel.context = p;
    outlet_init(&p->outlet, kind, on_takes, on_ready, p);
    p->hold = (struct event_timer){.expired = on_hold, .context = p};
    ports.made[ports.made_count++] = p;
    p->guest = guest;
    p->option = option;
    p->path = path;
    return p;
}

static void make_serial(struct port *p, unsigned reason, const char *name)
{
    p->reason = reason;
    strcpy(p->name, name);
    p->channel.keeps = p->channel.guest_open = true;
    p->channel.full = set_full;
}

static void make_virtio(unsigned guest, const struct guest_config *config,
                        const struct port_config *port)
{
    struct channels *set = &ports.channels[guest];
    struct port *p = make(guest, set->count, port->kind, "--port, --console", port->path);

    memcpy(p->channel.name, port->name, port->name_length);
    p->channel.console = port->name_length == 0;
    snprintf(p->name, sizeof p->name, "port %s", p->channel.console ? "hvc0" : p->channel.name);
    p->outlet.fd = port->fd;
    p->take = port->take;
    p->ctrl_d = !config->no_ctrl_d;
    set->at[set->count++] = &p->channel;
}

int ports_make(unsigned guest, const struct guest_config *config, struct channels **channels,
               struct error *error)
{
    *channels = NULL;
    if (config->serial != SERIAL_STDIO)
        make_serial(make(guest, SERIAL, config->serial, "--serial", config->serial_path),
                    CONSOLE_PORT, "serial port");
    if (config->debugcon != NULL)
        make_serial(make(guest, DEBUGCON, SERIAL_FILE, "--debugcon", config->debugcon),
                    CONSOLE_DEBUG, "debug console");
    if (config->port_count == 0)
        return 0;
    if (notifier_open(&ports.bells[guest], error) < 0)
        return -1;
    ports.channels[guest].fd = ports.bells[guest].fd;
    for (unsigned i = 0; i < config->port_count; i++)
        make_virtio(guest, config, &config->ports[i]);
    ports_resize();
    *channels = &ports.channels[guest];
    return 0;
}

void ports_leave(void)
{
    ports.made_count = 0;
    for (unsigned g = 0; g < GUESTS_MAX; g++)
        ports.channels[g].count = 0;
}

int ports_open(unsigned guest, const struct guest_config *config, struct error *error)
{
    /* A restored guest's output is appended to its earlier output. */
    bool append = config->saved != NULL && config->saved->folder != NULL;
    char where[OUTLET_WHERE_MAX];

    for (unsigned i = 0; i < ports.made_count; i++) {
        struct port *p = ports.made[i];

        if (p->guest != guest)
            continue;
        if (outlet_open(&p->outlet, guest, p->option, p->path, append, where, error) < 0)
            return -1;
        if (where[0] != '\0')
            vcpu_printf(guest, "kvm-vmm: guest %u (%s): %s at %s", guest, config->image, p->name,
                        where);
    }
    return 0;
}

/* The number of bytes that a connected other end has yet to take. */
static size_t backlog(struct port *p)
{
    size_t count;

    if (!p->outlet.takes)
        return 0;
    (void)channel_peek(&p->channel, &count);
    return count + outlet_unread(&p->outlet);
}

static void close_port(struct port *p)
{
    size_t left = backlog(p);

    if (left > 0)
        vcpu_printf(p->guest, "kvm-vmm: guest %u: %zu bytes of its %s were not read in time",
                    p->guest, left, p->name);
    events_timer_stop(&p->hold);
    outlet_close(&p->outlet);
}

void ports_finish(void (*flush)(unsigned guest))
{
    bool patient = true, terminal = false;
    unsigned empty = 0; /* how often in a row */

    ports.finishing = true;
    /* The kernel moves a terminal's bytes in steps: between two it may look empty. */
    while (empty < (terminal ? 3 : 1) && patient) {
        bool more = streams_service(), waits = false;

        for (unsigned g = 0; g < GUESTS_MAX; g++)
            if (ports.channels[g].count > 0)
                flush(g);
        ports_service();
        for (unsigned i = 0; i < ports.made_count; i++) {
            waits |= backlog(ports.made[i]) > 0;
            terminal |= ports.made[i]->outlet.kind == SERIAL_PTY;
        }
        empty = waits ? 0 : empty + 1;
        if (waits || terminal)
            patient = events_run_patiently(more ? 0 : terminal ? HOLD : EVENTS_FOREVER);
    }
    for_each(close_port);
    for (unsigned g = 0; g < GUESTS_MAX; g++)
        ports.channels[g].count = 0;
}

size_t ports_kept(unsigned guest, void *bytes, size_t room)
{
    return channel_read(&ports.at[guest][SERIAL].channel, bytes, room);
}
