/* Standard input, output and error; see relay.h. */
#include "initramfs/run/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "initramfs/run/ports.h"
#include "initramfs/run/say.h"

static void open_pipe(struct relay *relay, int number, const char *port)
{
    struct relay_flow *flow = &relay->flow[number];
    bool input = number == STDIN_FILENO;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        say_failed(125, "cannot make a pipe: %s", strerror(errno));
    relay->child[number] = ends[input ? 0 : 1];
    fcntl(ends[input ? 1 : 0], F_SETFL, O_NONBLOCK);
    flow->from = input ? ports_open(port) : ends[0];
    flow->to = input ? ends[1] : ports_open(port);
}

void relay_open(struct relay *relay, bool terminal)
{
    static const char *const names[] = {"stdin", "stdout", "stderr"};
    sigset_t deaths;

    sigemptyset(&deaths);
    sigaddset(&deaths, SIGCHLD);
    sigprocmask(SIG_BLOCK, &deaths, NULL);
    relay->deaths = signalfd(-1, &deaths, SFD_CLOEXEC | SFD_NONBLOCK);
    relay->terminal = terminal ? ports_open_terminal() : -1;
    for (int i = 0; i < 3; i++) {
        relay->flow[i] = (struct relay_flow){.from = -1, .to = -1};
        if (terminal)
            relay->child[i] = relay->terminal;
        else
            open_pipe(relay, i, names[i]);
    }
}

void relay_started(struct relay *relay)
{
    for (int i = 0; i < 3 && relay->terminal < 0; i++)
        close(relay->child[i]);
}

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Reads as much as fits, and writes as much as the target accepts. If one side has closed, closes
 * the other: the command gets the end of its input, or SIGPIPE. */
static void move(struct relay_flow *flow)
{
    ssize_t n;

    if (flow->used == 0 && flow->from >= 0) {
        n = read(flow->from, flow->bytes, sizeof flow->bytes);
        if (n > 0) {
            flow->at = 0;
            flow->used = (size_t)n;
        } else if (n == 0 || errno != EAGAIN) {
            shut(&flow->from);
        }
    }
    while (flow->used > 0 && flow->to >= 0) {
        n = write(flow->to, flow->bytes + flow->at, flow->used);
        if (n > 0) {
            flow->at += (size_t)n;
            flow->used -= (size_t)n;
        } else if (errno != EAGAIN) {
            shut(&flow->to);
        } else {
            return;
        }
    }
    if (flow->to < 0) {
        flow->used = 0;
        shut(&flow->from);
    }
    if (flow->from < 0 && flow->used == 0)
        shut(&flow->to);
}

/* The event for which a flow waits: input, or room for its bytes. If the VMM closes its end of a
 * port, poll() reports it in any case. */
static struct pollfd wish(const struct relay_flow *flow)
{
    if (flow->used > 0)
        return (struct pollfd){.fd = flow->to, .events = POLLOUT};
    return (struct pollfd){.fd = flow->from, .events = POLLIN};
}

static bool look(struct relay *relay, int control, int timeout)
{
    struct pollfd fds[8];
    struct signalfd_siginfo ignored;

    for (int i = 0; i < 3; i++) {
        fds[i] = wish(&relay->flow[i]);
        /* Detects an output whose reader is gone, even without data to write. */
        fds[5 + i] = (struct pollfd){.fd = i == 0 ? -1 : relay->flow[i].to};
    }
    fds[3] = (struct pollfd){.fd = relay->deaths, .events = POLLIN};
    fds[4] = (struct pollfd){.fd = control, .events = POLLIN};
    if (poll(fds, 8, timeout) <= 0)
        return false;
    for (int i = 0; i < 3; i++) {
        if (fds[5 + i].revents & POLLHUP)
            shut(&relay->flow[i].to);
        if (fds[i].revents != 0 || fds[5 + i].revents != 0)
            move(&relay->flow[i]);
    }
    while (read(relay->deaths, &ignored, sizeof ignored) > 0)
        ;
    return fds[4].revents & POLLIN;
}

bool relay_wait(struct relay *relay, int control)
{
    return look(relay, control, -1);
}

/* Sends what is in the pipes now. Does not wait for their end: programs that the command has
 * started may keep them open for ever. */
void relay_finish(struct relay *relay)
{
    shut(&relay->flow[0].from);
    shut(&relay->flow[0].to);
    relay->flow[0].used = 0;
    for (int i = 1; i < 3; i++) {
        struct relay_flow *flow = &relay->flow[i];
        int left = 0;

        if (flow->from >= 0 && ioctl(flow->from, FIONREAD, &left) < 0)
            left = 0;
        while (flow->used > 0 || (left > 0 && flow->from >= 0)) {
            struct pollfd fd = wish(flow);

            if (flow->used == 0)
                left -= RELAY_SIZE; /* the most that one read takes */
            if (poll(&fd, 1, -1) <= 0 || (flow->used > 0 && (fd.revents & POLLHUP)))
                break;
            move(flow);
        }
    }
    if (relay->terminal >= 0)
        tcdrain(relay->terminal);
}
