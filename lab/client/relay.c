/* See relay.h. Signals arrive through a descriptor, so that the loop handles one event at a time. A
 * PING regularly checks that the machine answers: if it does not, a signal or the interrupt key
 * ends this process. */
#include "lab/client/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lab/client/request.h"
#include "lab/client/terminal.h"
#include "lab/wire/stream.h"

#define PING_MS 2000 /* between two PINGs */
/* The time for an answer when the user wants to end the command: these parts of the time after
 * which a silent machine is replaced (of 120 s: 3 s, and 1 s after a second signal). */
#define GRACE_PART  40
#define INSIST_PART 120
#define SILENCE_MS  10000 /* without an answer, before the user is told */

struct relay {
    struct wire *wire;
    const struct line_options *line;
    const struct message_hello *hello;
    struct source in;
    struct sink out[STREAM_COUNT];
    int signals;
    bool over;
    int status;
    int64_t asked;    /* when the unanswered PING was sent; 0: none */
    int64_t answered; /* when the last answer came */
    int64_t deadline; /* for that answer, if `ending` */
    int ending;       /* the signal to end the command; 0: none since the last answer */
    bool told;        /* the user knows that the machine is silent */
};

static const int forwarded[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGUSR1,
                                SIGUSR2, SIGALRM, SIGCONT, SIGTSTP, SIGWINCH};

static int on_message(void *context, uint8_t kind, const uint8_t *payload, size_t length)
{
    struct relay *relay = context;
    struct message_window window;
    uint8_t first = length > 0 ? payload[0] : 0;
    struct sink *sink = first < STREAM_COUNT ? &relay->out[first] : NULL;

    switch (kind) {
    case MESSAGE_DATA:
        return sink && length > 0 ? stream_sink_take(sink, payload + 1, length - 1) : 0;
    case MESSAGE_END:
        if (sink)
            stream_sink_end(sink);
        return 0;
    case MESSAGE_CLOSE:
        stream_source_close(&relay->in);
        return 0;
    case MESSAGE_WINDOW:
        if (length == sizeof(window)) {
            memcpy(&window, payload, length);
            stream_source_grant(&relay->in, window.bytes);
        }
        return 0;
    case MESSAGE_PONG:
        relay->asked = 0;
        relay->ending = 0;
        relay->told = false;
        relay->answered = line_now_ms();
        return 0;
    case MESSAGE_STOPPED:
        if (relay->hello->terminals & 1) {
            terminal_restore();
            raise(SIGSTOP);
        }
        return 0;
    case MESSAGE_REFUSED:
        fprintf(stderr, "lab: %.*s\n", (int)length - 1, (const char *)payload + 1);
        /* fall through */
    case MESSAGE_EXIT:
        relay->over = true;
        relay->status = first;
        return 0;
    default:
        return 0;
    }
}

static int send_signal(struct relay *relay, int number)
{
    uint8_t byte = (uint8_t)number;

    return wire_send(relay->wire, MESSAGE_SIGNAL, &byte, 1, NULL, 0);
}

static int ask(struct relay *relay)
{
    if (relay->asked)
        return 0;
    relay->asked = line_now_ms();
    return wire_send(relay->wire, MESSAGE_PING, NULL, 0, NULL, 0);
}

/* A signal asks for the command's end. The command may ignore it, but then the machine must still
 * answer: without an answer in time this process ends, and sooner after a second signal. Even then
 * a running machine has time to answer: two signals can come in the same millisecond. */
static int want_end(struct relay *relay, int number)
{
    int64_t asked = relay->asked ? relay->asked : line_now_ms();
    int part = relay->ending ? INSIST_PART : GRACE_PART;

    relay->ending = number;
    relay->deadline = asked + (int64_t)relay->line->wait * 1000 / part;
    return ask(relay);
}

/* Ends this process by the signal, as if the command had run here. */
__attribute__((noreturn)) static void end_by_signal(int number)
{
    sigset_t set;

    terminal_restore();
    fprintf(stderr, "lab: the machine does not answer, giving up on its command (lab/lab down "
                    "stops the machine)\n");
    sigemptyset(&set);
    sigaddset(&set, number);
    signal(number, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
    _exit(128 + number);
}

/* Does what is due: sends a PING, or tells the user. -ETIMEDOUT: the machine does not answer. */
static int watch(struct relay *relay)
{
    int64_t now = line_now_ms();

    if (relay->over)
        return 0;
    if (relay->ending && relay->asked && now >= relay->deadline)
        end_by_signal(relay->ending);
    if (!relay->asked)
        return now >= relay->answered + PING_MS ? ask(relay) : 0;
    if (now >= relay->asked + (int64_t)relay->line->wait * 1000)
        return -ETIMEDOUT;
    if (now >= relay->asked + SILENCE_MS && !relay->told) {
        fprintf(stderr,
                "lab: the machine has not answered for %d s; Ctrl-C or a signal ends the wait\r\n",
                SILENCE_MS / 1000);
        relay->told = true;
    }
    return 0;
}

/* Milliseconds until watch() has something to do. */
static int watch_timeout(const struct relay *relay)
{
    int64_t next = relay->answered + PING_MS;
    int64_t now = line_now_ms();

    if (relay->over)
        return -1;
    if (relay->asked) {
        next = relay->asked + (int64_t)relay->line->wait * 1000;
        if (!relay->told && relay->asked + SILENCE_MS < next)
            next = relay->asked + SILENCE_MS;
        if (relay->ending && relay->deadline < next)
            next = relay->deadline;
    }
    return next > now ? (int)(next - now) : 0;
}

/* Suspends the command, then this process. Returns after SIGCONT. */
static int suspend(struct relay *relay)
{
    int code = send_signal(relay, SIGSTOP);

    if (code == 0)
        code = wire_flush(relay->wire);
    terminal_restore();
    raise(SIGSTOP);
    return code;
}

static int on_signal(struct relay *relay)
{
    struct signalfd_siginfo event;
    struct message_resize size;

    if (read(relay->signals, &event, sizeof(event)) != sizeof(event))
        return 0;
    switch (event.ssi_signo) {
    case SIGWINCH:
        size = terminal_size();
        return wire_send(relay->wire, MESSAGE_RESIZE, &size, sizeof(size), NULL, 0);
    case SIGTSTP:
        return suspend(relay);
    case SIGCONT:
        terminal_raw(relay->hello);
        return send_signal(relay, SIGCONT);
    case SIGINT:
    case SIGTERM:
    case SIGHUP:
    case SIGQUIT:
        if (send_signal(relay, (int)event.ssi_signo) < 0)
            return -EIO;
        return want_end(relay, (int)event.ssi_signo);
    default:
        return send_signal(relay, (int)event.ssi_signo);
    }
}

static int pump(struct relay *relay, const struct pollfd *in, const struct pollfd *out)
{
    int code = 0;

    if (in->revents && relay->in.fd >= 0) {
        code = stream_source_pump(&relay->in, relay->wire);
        if (code == 0 && relay->in.fd >= 0 && terminal_interrupts(relay->hello, relay->in.last))
            code = want_end(relay, SIGINT);
    }
    for (int i = 1; code == 0 && i < STREAM_COUNT; i++)
        if (out[i].revents || relay->out[i].ended)
            code = stream_sink_pump(&relay->out[i], relay->wire);
    return code;
}

static bool all_written(const struct relay *relay)
{
    for (int i = 1; i < STREAM_COUNT; i++)
        if (!stream_sink_idle(&relay->out[i]))
            return false;
    return true;
}

static int step(struct relay *relay)
{
    enum { LINE, SIGNALS, IN, OUT, COUNT = OUT + STREAM_COUNT };
    struct pollfd polls[COUNT] = {
        [LINE] = {.fd = relay->over ? -1 : relay->wire->fd, .events = POLLIN},
        [SIGNALS] = {.fd = relay->signals, .events = POLLIN},
        [IN] = stream_source_poll(&relay->in, relay->wire),
        [OUT] = {.fd = -1},
    };
    int code = 0;

    for (int i = 1; i < STREAM_COUNT; i++)
        polls[OUT + i] = stream_sink_poll(&relay->out[i]);
    if (wire_pending(relay->wire))
        polls[LINE].events |= POLLOUT;
    if (poll(polls, COUNT, watch_timeout(relay)) < 0)
        return errno == EINTR ? 0 : -errno;
    if (polls[SIGNALS].revents)
        code = on_signal(relay);
    if (code == 0)
        code = pump(relay, &polls[IN], &polls[OUT]);
    if (code == 0 && (polls[LINE].revents & ~POLLOUT))
        code = wire_receive(relay->wire, on_message, relay);
    if (code == 0)
        code = watch(relay);
    return code < 0 || relay->over ? code : wire_flush(relay->wire);
}

/* The request may be longer than the line's buffer. */
static int send_request(struct wire *wire, const char *strings, size_t length)
{
    size_t sent = 0;

    while (sent < length || wire_pending(wire)) {
        struct pollfd ready = {.fd = wire->fd, .events = POLLOUT};
        size_t run = length - sent < MESSAGE_DATA_MAX ? length - sent : MESSAGE_DATA_MAX;
        int code = 0;

        if (run > 0 && wire_has_room(wire)) {
            code = wire_send(wire, MESSAGE_STRINGS, strings + sent, run, NULL, 0);
            sent += run;
        } else if (poll(&ready, 1, -1) < 0 && errno != EINTR) {
            return -errno;
        }
        if (code == 0)
            code = wire_flush(wire);
        if (code < 0)
            return code;
    }
    return wire_send(wire, MESSAGE_START, NULL, 0, NULL, 0);
}

/* A sink owns its descriptor, so it gets a duplicate. */
static void open_streams(struct relay *relay)
{
    static const int fds[STREAM_COUNT] = {[STREAM_STDOUT] = 1, [STREAM_STDERR] = 2};
    int terminal = -1;

    for (int fd = 1; fd < 4 && terminal < 0; fd++)
        if (relay->hello->terminals & (1u << (fd % 3)))
            terminal = fd % 3;
    stream_source_open(&relay->in, STREAM_STDIN, STDIN_FILENO);
    for (int i = 1; i < STREAM_COUNT; i++)
        stream_sink_open(&relay->out[i], (uint8_t)i,
                         fcntl(i == STREAM_TERMINAL ? terminal : fds[i], F_DUPFD_CLOEXEC, 3));
}

static int catch_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
        sigaddset(&set, forwarded[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTTOU, SIG_IGN); /* terminal settings can be restored from the background */
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int relay_run(struct wire *wire, const struct message_hello *hello, char **command,
              const struct line_options *line)
{
    static struct relay relay;
    size_t length;
    char *strings = request_strings(command, &length);
    int code = strings ? send_request(wire, strings, length) : -ENOMEM;

    free(strings);
    relay.wire = wire;
    relay.hello = hello;
    relay.line = line;
    relay.status = 125;
    relay.answered = line_now_ms();
    relay.signals = catch_signals();
    open_streams(&relay);
    for (int i = 1; code == 0 && i < STREAM_COUNT; i++)
        code = stream_sink_pump(&relay.out[i], wire);
    terminal_raw(hello);
    if (code == 0)
        code = wire_flush(wire);
    while (code == 0 && !(relay.over && all_written(&relay)))
        code = step(&relay);
    terminal_restore();
    if (code == -ETIMEDOUT &&
        line_restart(line, "the machine does not answer, stopping it with all that runs there") < 0)
        return 125;
    if (code < 0 && code != -ETIMEDOUT)
        line_note_stop(line, "the connection to the machine broke: it has ended");
    return code < 0 ? 125 : relay.status;
}
