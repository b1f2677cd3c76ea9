/* See session.h. Everything that a client sends is checked here: the client is not trusted. */
#include "lab/agent/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/agent/refresh.h"
#include "lab/agent/share.h"

void session_init(struct session *session, unsigned line, int fd)
{
    wire_init(&session->wire, fd);
    session->line = line;
    session->state = SESSION_IDLE;
    session->pid = -1;
    stream_sink_open(&session->in, STREAM_STDIN, -1);
    for (int i = 0; i < STREAM_COUNT; i++)
        stream_source_open(&session->out[i], (uint8_t)i, -1);
}

void session_reset(struct session *session)
{
    session_abandon(session);
    wire_init(&session->wire, session->wire.fd);
}

static void close_streams(struct session *session)
{
    stream_sink_close(&session->in);
    for (int i = 0; i < STREAM_COUNT; i++)
        stream_source_close(&session->out[i]);
}

void session_abandon(struct session *session)
{
    if (session->pid > 0) {
        kill(-session->pid, SIGKILL);
        cage_kill(&session->cage);
        waitpid(session->pid, NULL, 0);
        session->pid = -1;
    }
    close_streams(session);
    cage_destroy(&session->cage);
    command_forget(&session->command);
    session->state = SESSION_IDLE;
}

static int refuse(struct session *session, int status, const char *reason)
{
    uint8_t byte = (uint8_t)status;
    int code = wire_send(&session->wire, MESSAGE_REFUSED, &byte, 1, reason, strlen(reason));

    session_abandon(session);
    return code;
}

static int on_hello(struct session *session, const uint8_t *payload, size_t length)
{
    struct message_welcome welcome = {.build = LAB_BUILD};

    session_abandon(session);
    if (length != sizeof(session->command.hello))
        return 0;
    memcpy(&session->command.hello, payload, length);
    welcome.nonce = session->command.hello.nonce;
    session->state = SESSION_GREETED;
    wire_resync(&session->wire);
    return wire_send(&session->wire, MESSAGE_WELCOME, &welcome, sizeof(welcome), NULL, 0);
}

static int on_strings(struct session *session, const uint8_t *payload, size_t length)
{
    if (session->state != SESSION_GREETED)
        return 0;
    if (command_add(&session->command, payload, length) < 0)
        return refuse(session, 125, "the command line and environment are too long for the lab");
    return 0;
}

static int on_start(struct session *session, const uint8_t *payload, size_t length)
{
    struct command_ends ends;
    char reason[256];
    int status, code;

    (void)payload, (void)length;
    if (session->state != SESSION_GREETED)
        return 0;
    refresh_machine(&session->command.hello);
    if (share_hold() < 0) {
        share_release();
        return refuse(session, 125,
                      "programs were rebuilt too often while commands that use older ones run: end "
                      "one of those, or lab/lab down");
    }
    cage_create(&session->cage, session->line);
    code = command_start(&session->command, &session->cage, &ends, &session->pid, &status, reason);
    share_release(); /* the command has its own mount namespace */
    if (code < 0) {
        session->pid = -1;
        return refuse(session, status, reason);
    }
    stream_sink_open(&session->in, STREAM_STDIN, ends.in);
    stream_source_open(&session->out[STREAM_STDOUT], STREAM_STDOUT, ends.out);
    stream_source_open(&session->out[STREAM_STDERR], STREAM_STDERR, ends.error);
    stream_source_open(&session->out[STREAM_TERMINAL], STREAM_TERMINAL, ends.terminal);
    command_forget(&session->command);
    session->state = SESSION_RUNNING;
    return 0;
}

static int on_data(struct session *session, const uint8_t *payload, size_t length)
{
    if (length < 1 || payload[0] != STREAM_STDIN)
        return 0;
    if (stream_sink_take(&session->in, payload + 1, length - 1) < 0)
        return refuse(session, 125, "more input than the window allows");
    return 0;
}

static int on_end(struct session *session, const uint8_t *payload, size_t length)
{
    if (length < 1 || payload[0] != STREAM_STDIN)
        return 0;
    stream_sink_end(&session->in);
    return stream_sink_pump(&session->in, &session->wire);
}

static int on_close(struct session *session, const uint8_t *payload, size_t length)
{
    if (length >= 1 && payload[0] < STREAM_COUNT)
        stream_source_close(&session->out[payload[0]]);
    return 0;
}

static int on_window(struct session *session, const uint8_t *payload, size_t length)
{
    struct message_window window;

    if (length != sizeof(window))
        return 0;
    memcpy(&window, payload, length);
    if (window.stream < STREAM_COUNT)
        stream_source_grant(&session->out[window.stream], window.bytes);
    return 0;
}

/* Signals that a terminal sends go to the whole process group, others to the command itself, as on
 * the host. */
static int on_signal(struct session *session, const uint8_t *payload, size_t length)
{
    int number = length == 1 ? payload[0] : 0;
    bool group = number == SIGINT || number == SIGQUIT || number == SIGHUP || number == SIGSTOP ||
                 number == SIGCONT || number == SIGTSTP;

    if (session->pid > 0 && number > 0 && number < NSIG)
        kill(group ? -session->pid : session->pid, number);
    return 0;
}

static int on_resize(struct session *session, const uint8_t *payload, size_t length)
{
    struct message_resize resize;
    int terminal = session->out[STREAM_TERMINAL].fd;

    if (length != sizeof(resize) || terminal < 0)
        return 0;
    memcpy(&resize, payload, length);
    ioctl(terminal, TIOCSWINSZ, &(struct winsize){.ws_row = resize.rows, .ws_col = resize.columns});
    return 0;
}

static int on_ping(struct session *session, const uint8_t *payload, size_t length)
{
    (void)payload, (void)length;
    return wire_send(&session->wire, MESSAGE_PONG, NULL, 0, NULL, 0);
}

static int on_message(void *context, uint8_t kind, const uint8_t *payload, size_t length)
{
    static int (*const handlers[])(struct session *, const uint8_t *, size_t) = {
        [MESSAGE_HELLO] = on_hello,   [MESSAGE_STRINGS] = on_strings, [MESSAGE_START] = on_start,
        [MESSAGE_DATA] = on_data,     [MESSAGE_END] = on_end,         [MESSAGE_CLOSE] = on_close,
        [MESSAGE_WINDOW] = on_window, [MESSAGE_SIGNAL] = on_signal,   [MESSAGE_RESIZE] = on_resize,
        [MESSAGE_PING] = on_ping,
    };

    if (kind >= sizeof(handlers) / sizeof(handlers[0]) || !handlers[kind])
        return 0;
    return handlers[kind](context, payload, length);
}

/* The command has ended or stopped. If it ended, its other processes are killed, so that its output
 * ends. */
static int on_child(struct session *session, int signals)
{
    struct signalfd_siginfo event;
    int status;

    while (read(signals, &event, sizeof(event)) > 0)
        ;
    if (session->pid <= 0 || waitpid(session->pid, &status, WNOHANG | WUNTRACED) != session->pid)
        return 0;
    if (WIFSTOPPED(status))
        return wire_send(&session->wire, MESSAGE_STOPPED, NULL, 0, NULL, 0);
    session->status = (uint8_t)(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    session->pid = -1;
    cage_kill(&session->cage);
    stream_sink_close(&session->in);
    session->state = SESSION_DRAINING;
    return 0;
}

/* Ends the session once all output is sent. */
static int finish(struct session *session)
{
    if (session->state != SESSION_DRAINING)
        return 0;
    for (int i = 0; i < STREAM_COUNT; i++)
        if (session->out[i].fd >= 0)
            return 0;
    if (!wire_has_room(&session->wire))
        return 0;
    session->state = SESSION_IDLE;
    cage_destroy(&session->cage);
    return wire_send(&session->wire, MESSAGE_EXIT, &session->status, 1, NULL, 0);
}

static int pump_streams(struct session *session, const struct pollfd *in, const struct pollfd *out)
{
    int code = in->revents ? stream_sink_pump(&session->in, &session->wire) : 0;

    for (int i = 1; code == 0 && i < STREAM_COUNT; i++)
        if (out[i].revents && session->out[i].fd == out[i].fd)
            code = stream_source_pump(&session->out[i], &session->wire);
    return code;
}

int session_step(struct session *session, int signals)
{
    enum { LINE, SIGNALS, IN, OUT, COUNT = OUT + STREAM_COUNT };
    struct pollfd polls[COUNT] = {
        [LINE] = {.fd = session->wire.fd, .events = POLLIN},
        [SIGNALS] = {.fd = signals, .events = POLLIN},
        [IN] = stream_sink_poll(&session->in),
        [OUT] = {.fd = -1},
    };
    int code = 0;

    for (int i = 1; i < STREAM_COUNT; i++)
        polls[OUT + i] = stream_source_poll(&session->out[i], &session->wire);
    if (wire_pending(&session->wire))
        polls[LINE].events |= POLLOUT;
    if (poll(polls, COUNT, -1) < 0)
        return errno == EINTR ? 0 : -errno;
    if (polls[LINE].revents & (POLLHUP | POLLERR | POLLNVAL))
        return -EPIPE;
    if (polls[SIGNALS].revents)
        code = on_child(session, signals);
    if (code == 0)
        code = pump_streams(session, &polls[IN], &polls[OUT]);
    if (code == 0 && (polls[LINE].revents & POLLIN))
        code = wire_receive(&session->wire, on_message, session);
    if (code == 0)
        code = finish(session);
    return code < 0 ? code : wire_flush(&session->wire);
}
