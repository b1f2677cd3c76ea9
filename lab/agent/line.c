/* See line.h. The port's device has these properties (Linux, drivers/char/virtio_console.c):
 *
 * - While no client is connected poll() reports POLLHUP at once and read() returns 0 at once, so
 * the wait for a client is edge-triggered: the driver wakes the port's queue when one comes.
 * - Closing the port discards what the next client has already sent. So it stays open for ever, and
 * only a HELLO marks where an earlier client's data end and a new client's begin.
 * - Connects and disconnects come in another queue than the data and may be reported late: a new
 * client's HELLO can be read before the old client's POLLHUP. A hang-up therefore counts only if it
 * lasts. */
#include "lab/agent/line.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lab/agent/say.h"
#include "lab/agent/session.h"

#define HANGUP_TRIES  20 /* of 5 ms */
#define HANGUP_PERIOD 5000
#define OPEN_TRIES    250 /* of 20 ms, until the driver has created the devices */

/* Finds the port that QEMU calls lab.N. The name of its device depends on the machine's other
 * devices. */
static int find_port(unsigned line)
{
    char wanted[32], name[32], path[320];
    DIR *ports = opendir("/sys/class/virtio-ports");
    struct dirent *entry;
    int found = -1;

    snprintf(wanted, sizeof(wanted), "lab.%u\n", line);
    while (ports && found < 0 && (entry = readdir(ports))) {
        FILE *file;

        snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", entry->d_name);
        file = fopen(path, "re");
        snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
        if (file && fgets(name, sizeof(name), file) && strcmp(name, wanted) == 0)
            found = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        if (file)
            fclose(file);
    }
    if (ports)
        closedir(ports);
    return found;
}

static int open_port(unsigned line)
{
    for (int i = 0; i < OPEN_TRIES; i++) {
        int fd = find_port(line);

        if (fd >= 0)
            return fd;
        usleep(20000);
    }
    say("no port lab.%u", line);
    _exit(1);
}

static int child_signals(void)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        say("signalfd: %s", strerror(errno));
        _exit(1);
    }
    return fd;
}

static bool connected(int port)
{
    struct pollfd state = {.fd = port, .events = 0};

    return poll(&state, 1, 0) == 0 || !(state.revents & POLLHUP);
}

static bool hung_up(int port)
{
    for (int i = 0; i < HANGUP_TRIES; i++) {
        if (connected(port))
            return false;
        usleep(HANGUP_PERIOD);
    }
    return true;
}

static void wait_for_client(int port)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};

    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, port, &event) != 0) {
        say("epoll: %s", strerror(errno));
        _exit(1);
    }
    while (!connected(port))
        epoll_wait(epoll, &event, 1, -1);
    close(epoll);
}

/* Raises the agent's priority, so that it answers even if guests use all CPU time; the commands
 * have the usual priority. */
static void be_prompt(void)
{
    struct sched_param parameter = {.sched_priority = 1};

    if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &parameter) != 0)
        say("no real-time priority: %s", strerror(errno));
}

void line_serve(unsigned line, struct line_status *status)
{
    static struct session session;
    int signals = child_signals();
    int port = open_port(line);

    be_prompt();
    session_init(&session, line, port);
    for (;;) {
        int code;

        wait_for_client(port);
        atomic_store(&status->busy, 1);
        atomic_fetch_add(&status->sessions, 1);
        while ((code = session_step(&session, signals)) == 0 || !hung_up(port))
            if (code < 0 && code != -EPIPE)
                session_abandon(&session); /* the client violates the protocol */
        session_reset(&session);
        atomic_store(&status->busy, 0);
    }
}
