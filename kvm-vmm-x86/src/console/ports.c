/* Serial ports to elsewhere; see ports.h. */
#include "console/ports.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/endpoint.h"
#include "console/console.h"
#include "console/streams.h"
#include "dev/backend.h"
#include "host/events.h"
#include "host/socket.h"
#include "host/stream.h"
#include "host/threads.h"

/* Beyond its limit the ring takes the byte that each vCPU brings before it sees that it is full. */
enum { RING_LIMIT = 64 * 1024, RING_MAX = RING_LIMIT + CPUS_MAX, INPUT_MAX = 4096 };

/* A line, or so much of one, is written at once; else what came within HOLD_MS. A terminal does not
 * tell when it is opened: it is looked for. */
enum { PIECE = 4096, HOLD_MS = 10, LOOK_MS = 100 };

#define MS UINT64_C(1000000)

struct fifo {
    uint8_t *bytes;
    size_t size, head, used;
};

struct port {
    unsigned guest;
    unsigned reason; /* CONSOLE_PORT or CONSOLE_DEBUG */
    enum serial_kind kind;
    struct lock lock; /* protects what follows */
    uint8_t output_bytes[RING_MAX], input_bytes[INPUT_MAX];
    struct fifo output, input;
    bool taken; /* somebody is there to take output */
    bool due;   /* output is to be written now */
    /* the main thread's */
    struct stream stream; /* fd -1: not open */
    struct socket_server server;
    struct event_source source, listener;
    struct event_timer timer;
    bool sends; /* input may come from the other end */
    bool finishing;
    int failure;
};

/* Behind the serial ports of all guests stand their debug consoles. */
enum { PORTS = 2 * GUESTS_MAX };

static struct {
    struct ports_config config;
    struct port at[PORTS];
} ports;

static void push(struct fifo *fifo, uint8_t byte)
{
    fifo->bytes[(fifo->head + fifo->used++) % fifo->size] = byte;
}

static void drop(struct fifo *fifo, size_t count)
{
    fifo->head = (fifo->head + count) % fifo->size;
    fifo->used -= count;
}

void ports_init(const struct ports_config *config)
{
    ports.config = *config;
    for (unsigned i = 0; i < PORTS; i++)
        ports.at[i].stream.fd = -1;
}

static void put(struct port *p, uint8_t byte)
{
    bool call;

    lock_take(&p->lock);
    if (!p->taken && p->output.used >= RING_LIMIT)
        drop(&p->output, p->output.used - RING_LIMIT + 1);
    call = p->taken && p->output.used == 0;
    if (p->output.used < RING_MAX) /* console_is_full was not asked: a bug of ours loses bytes */
        push(&p->output, byte);
    if (!p->due && (byte == '\n' || p->output.used >= PIECE)) {
        p->due = true;
        call = p->taken;
    }
    if (p->taken && p->output.used > RING_LIMIT)
        console_set_full(p->guest, p->reason, true);
    lock_release(&p->lock);
    if (call)
        ports.config.wake();
}

void ports_putchar(unsigned guest, uint8_t byte)
{
    put(&ports.at[guest], byte);
}

void ports_debug_putchar(unsigned guest, uint8_t byte)
{
    put(&ports.at[GUESTS_MAX + guest], byte);
}

int ports_take(unsigned guest)
{
    struct port *p = &ports.at[guest];
    int byte = INPUT_NONE;
    bool eased = false;

    lock_take(&p->lock);
    if (p->input.used > 0) {
        byte = p->input.bytes[p->input.head];
        drop(&p->input, 1);
        eased = p->input.used == INPUT_MAX / 2;
    }
    lock_release(&p->lock);
    if (eased)
        ports.config.wake();
    return byte;
}

int ports_pending(unsigned guest)
{
    struct port *p = &ports.at[guest];
    LOCK_FOR_BLOCK(&p->lock);

    return (int)p->input.used;
}

/* Whether output is taken: if not, the guest does not wait. `written` bytes of it are gone. */
static void update_output(struct port *p, bool taken, size_t written)
{
    bool eased;

    lock_take(&p->lock);
    drop(&p->output, written);
    p->taken = taken;
    p->due &= p->output.used > 0;
    eased =
        (console_why_full(p->guest) & p->reason) && (!taken || p->output.used <= RING_LIMIT / 2);
    if (eased)
        console_set_full(p->guest, p->reason, false);
    lock_release(&p->lock);
    if (eased)
        ports.config.room(p->guest);
}

/* Somebody is at the other end. */
static void arrive(struct port *p, struct stream stream)
{
    p->stream = stream;
    p->source.fd = stream.fd;
    p->sends = p->kind != SERIAL_FILE;
    LOCK_FOR_BLOCK(&p->lock);

    p->taken = true;
    p->due = p->output.used > 0;
}

/* Neither does the other end send nor take anything any more. A terminal stays, for the next. */
static void leave(struct port *p)
{
    events_want(&p->source, 0);
    update_output(p, false, 0);
    p->sends = false;
    if (p->kind == SERIAL_UNIX) {
        socket_hang_up(&p->server);
        p->stream.fd = -1;
    }
}

/* The end of what a socket's client sends need not be the end of what it takes. */
static void read_some(struct port *p)
{
    uint8_t bytes[1024];
    size_t room;
    int n;

    lock_take(&p->lock);
    room = INPUT_MAX - p->input.used;
    lock_release(&p->lock);
    if (!p->sends || room == 0)
        return;
    n = stream_read(&p->stream, bytes, room < sizeof bytes ? room : sizeof bytes);
    if (n == -EAGAIN)
        return;
    if (n <= 0) {
        p->sends = false;
        if (n < 0 || !p->taken || stream_is_hung_up(&p->stream))
            leave(p);
        return;
    }
    lock_take(&p->lock);
    for (int i = 0; i < n; i++)
        push(&p->input, bytes[i]);
    lock_release(&p->lock);
    ports.config.input(p->guest);
}

/* One piece. vCPUs only append while output is taken, so the piece stays where it is without the
 * lock. What a socket's client that takes nothing more has sent before is read to its end. */
static void write_some(struct port *p)
{
    struct fifo *f = &p->output;
    size_t count;
    bool due;
    int n;

    lock_take(&p->lock);
    count = f->used < f->size - f->head ? f->used : f->size - f->head;
    due = p->taken && p->due;
    lock_release(&p->lock);
    if (!due || count == 0)
        return;
    n = stream_write(&p->stream, f->bytes + f->head, count);
    if (n == -EAGAIN)
        return;
    update_output(p, n > 0, n > 0 ? (size_t)n : 0);
    if (n <= 0 && p->kind == SERIAL_FILE)
        p->failure = n;
    if (n <= 0 && (!p->sends || p->kind == SERIAL_PTY))
        leave(p);
}

static void on_ready(void *context)
{
    read_some(context);
    write_some(context);
}

static void on_knock(void *context)
{
    struct port *p = context;

    if (p->server.client >= 0 && stream_is_hung_up(&p->stream))
        leave(p);
    if (socket_accept(&p->server))
        arrive(p, socket_stream(&p->server));
}

static void on_timer(void *context)
{
    struct port *p = context;

    lock_take(&p->lock);
    p->due = p->output.used > 0;
    lock_release(&p->lock);
    if (p->kind == SERIAL_PTY && !p->sends && !stream_is_hung_up(&p->stream))
        arrive(p, p->stream);
}

static void service(struct port *p)
{
    bool room, output, due;
    bool looks = p->kind == SERIAL_PTY && (!p->sends || p->finishing);

    lock_take(&p->lock);
    p->due |= p->finishing && p->output.used > 0;
    room = p->input.used < INPUT_MAX;
    output = p->taken && p->output.used > 0;
    due = p->due;
    lock_release(&p->lock);
    if (p->stream.fd >= 0)
        events_want(&p->source,
                    (p->sends && room ? EVENTS_READ : 0) | (output && due ? EVENTS_WRITE : 0));
    if (!p->timer.running && ((output && !due) || looks))
        events_timer_start(&p->timer, (looks && !p->finishing ? LOOK_MS : HOLD_MS) * MS);
}

void ports_service(void)
{
    for (unsigned i = 0; i < PORTS; i++)
        if (ports.at[i].kind != SERIAL_STDIO)
            service(&ports.at[i]);
}

/* What is left in a terminal when its master's side is closed is lost: it counts as well. */
static size_t backlog(struct port *p)
{
    size_t left;
    bool taken;

    if (p->kind == SERIAL_STDIO)
        return 0;
    lock_take(&p->lock);
    taken = p->taken;
    left = taken ? p->output.used : 0;
    lock_release(&p->lock);
    return left + (taken && p->kind == SERIAL_PTY ? stream_pty_unread(&p->stream) : 0);
}

int ports_failure(unsigned guest)
{
    int failure = ports.at[guest].failure;

    return failure != 0 ? failure : ports.at[GUESTS_MAX + guest].failure;
}

size_t ports_kept(unsigned guest, void *bytes, size_t room)
{
    struct port *p = &ports.at[guest];
    size_t count;
    LOCK_FOR_BLOCK(&p->lock);

    count = p->output.used < room ? p->output.used : room;
    for (size_t i = 0; i < count; i++)
        ((uint8_t *)bytes)[i] =
            p->output.bytes[(p->output.head + p->output.used - count + i) % p->output.size];
    return count;
}

static int open_pty(struct port *p, const char *image, struct error *error)
{
    char path[STREAM_PTY_NAME_MAX];

    if (stream_open_pty(&p->stream, path, error) < 0)
        return -1;
    p->source.fd = p->stream.fd;
    vcpu_printf(p->guest, "kvm-vmm: guest %u (%s): serial port at %s", p->guest, image, path);
    return 0;
}

static int open_file(struct port *p, const char *option, const char *path, struct error *error)
{
    struct stream stream;
    char name[4096];
    int length = p->guest == 0 ? snprintf(name, sizeof name, "%s", path)
                               : snprintf(name, sizeof name, "%s.%u", path, p->guest);

    if (length >= (int)sizeof name)
        return error_set(error, "%s: the path of the file is too long", option);
    if (stream_open_file(&stream, name, error) < 0)
        return -1;
    arrive(p, stream);
    return 0;
}

static int open_unix(struct port *p, const char *path, const char *image, struct error *error)
{
    struct endpoint address;

    if (endpoint_unix(&address, "--serial", path, p->guest, error) < 0 ||
        socket_open(&p->server, &address, error) < 0)
        return -1;
    p->listener = (struct event_source){.fd = p->server.listener, .ready = on_knock, .context = p};
    events_want(&p->listener, EVENTS_READ);
    vcpu_printf(p->guest, "kvm-vmm: guest %u (%s): serial port at unix:%s", p->guest, image,
                p->server.path);
    return 0;
}

static int open_serial(struct port *p, const struct guest_config *config, struct error *error)
{
    if (p->kind == SERIAL_PTY)
        return open_pty(p, config->image, error);
    if (p->kind == SERIAL_FILE)
        return open_file(p, "--serial", config->serial_path, error);
    return open_unix(p, config->serial_path, config->image, error);
}

/* `at`: where in the table. */
static int open_at(unsigned at, enum serial_kind kind, const struct guest_config *config,
                   struct error *error)
{
    struct port *p = &ports.at[at];
    int result;

    lock_init(&p->lock);
    p->guest = at % GUESTS_MAX;
    p->reason = at < GUESTS_MAX ? CONSOLE_PORT : CONSOLE_DEBUG;
    p->kind = kind;
    p->output = (struct fifo){.bytes = p->output_bytes, .size = RING_MAX};
    p->input = (struct fifo){.bytes = p->input_bytes, .size = INPUT_MAX};
    p->server = (struct socket_server){.listener = -1, .client = -1, .spare = -1};
    p->source = (struct event_source){.fd = -1, .ready = on_ready, .context = p};
    p->timer = (struct event_timer){.expired = on_timer, .context = p};
    result = kind == SERIAL_KEPT ? 0
             : at < GUESTS_MAX   ? open_serial(p, config, error)
                                 : open_file(p, "--debugcon", config->debugcon, error);
    if (result < 0)
        p->kind = SERIAL_STDIO;
    return result;
}

int ports_open(unsigned guest, const struct guest_config *config, struct error *error)
{
    if (config->serial != SERIAL_STDIO && open_at(guest, config->serial, config, error) < 0)
        return -1;
    return config->debugcon == NULL ? 0 : open_at(GUESTS_MAX + guest, SERIAL_FILE, config, error);
}

static void close_port(struct port *p)
{
    events_timer_stop(&p->timer);
    leave(p);
    events_want(&p->listener, 0);
    if (p->kind == SERIAL_UNIX)
        socket_close(&p->server);
    else if (p->kind != SERIAL_KEPT)
        stream_close(&p->stream);
    p->kind = SERIAL_STDIO;
}

void ports_finish(void)
{
    bool patient = true, waits, terminal = false;
    unsigned empty = 0; /* how often in a row */

    for (unsigned i = 0; i < PORTS; i++) {
        ports.at[i].finishing = true;
        terminal |= ports.at[i].kind == SERIAL_PTY;
    }
    /* The kernel moves a terminal's bytes in steps: between two it may look empty. */
    while (empty < (terminal ? 3 : 1) && patient) {
        bool more = streams_service();

        ports_service();
        waits = false;
        for (unsigned i = 0; i < PORTS; i++)
            waits |= backlog(&ports.at[i]) > 0;
        empty = waits ? 0 : empty + 1;
        if (waits || terminal)
            patient = events_run_patiently(more ? 0 : waits ? EVENTS_FOREVER : HOLD_MS * MS);
    }
    for (unsigned i = 0; i < PORTS; i++) {
        struct port *p = &ports.at[i];
        size_t left = backlog(p);

        if (left > 0)
            vcpu_printf(p->guest, "kvm-vmm: guest %u: %zu bytes of its %s were not read in time",
                        p->guest, left, i < GUESTS_MAX ? "serial output" : "debug console");
        if (p->kind != SERIAL_STDIO)
            close_port(p);
    }
}
