/* Signals, wake-ups, input and the clock; see events.h. */
#include "host/events.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

static int signal_fd = -1, wake_fd = -1;

int events_init(struct error *error)
{
    static const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT};
    struct sigaction old;
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof handled / sizeof handled[0]; i++)
        if (sigaction(handled[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaddset(&set, handled[i]); /* what was ignored at our start (nohup) stays ignored */
    signal(SIGPIPE, SIG_IGN);            /* a reader who left is an error code of write */
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return error_set(error, "cannot block signals");
    signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (signal_fd < 0 || wake_fd < 0)
        return error_set(error, "cannot wait for signals: %s", strerror(errno));
    return 0;
}

struct events events_wait(int timeout_ms, bool want_input)
{
    struct pollfd fds[] = {{.fd = signal_fd, .events = POLLIN},
                           {.fd = wake_fd, .events = POLLIN},
                           {.fd = want_input ? STDIN_FILENO : -1, .events = POLLIN}};
    struct events happened = {0};
    struct signalfd_siginfo info;
    uint64_t count;

    if (poll(fds, sizeof fds / sizeof fds[0], timeout_ms) <= 0)
        return happened;
    if (fds[0].revents && read(signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
        happened.signal = (int)info.ssi_signo;
    if (fds[1].revents && read(wake_fd, &count, sizeof count) < 0)
        return happened; /* another waiter took it: nothing lost */
    happened.input = fds[2].revents != 0;
    return happened;
}

void events_wake(void)
{
    uint64_t one = 1;

    if (write(wake_fd, &one, sizeof one) < 0)
        return; /* the counter is full: it wakes as well */
}

void events_stop_process(void)
{
    raise(SIGSTOP);
}

uint64_t events_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}
