/* Threads that serve devices; see iothread.h. */
#include "host/iothread.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BATCH = 8 };

int iothread_open(struct iothread *io, const char *name, bool (*run)(void *), void *context,
                  struct error *error)
{
    *io = (struct iothread){.run = run, .context = context, .wake = {.fd = -1}};
    snprintf(io->name, sizeof io->name, "%s", name);
    io->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (io->epoll < 0)
        return error_set(error, "cannot make an epoll descriptor: %s", strerror(errno));
    if (notifier_open(&io->wake, error) == 0 && iothread_watch(io, io->wake.fd, error) == 0)
        return 0;
    notifier_close(&io->wake);
    close(io->epoll);
    io->run = NULL;
    return -1;
}

int iothread_watch(struct iothread *io, int fd, struct error *error)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};

    if (epoll_ctl(io->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        return error_set(error, "a device's descriptor cannot be watched: %s", strerror(errno));
    return 0;
}

static bool must_stop(const struct iothread *io)
{
    return __atomic_load_n(&io->stop, __ATOMIC_ACQUIRE); /* pairs with iothread_close */
}

static void *loop(void *argument)
{
    struct iothread *io = argument;
    struct epoll_event events[BATCH];

    thread_name("%s", io->name);
    while (!must_stop(io)) {
        while (io->run(io->context) && !must_stop(io))
            ;
        while (epoll_wait(io->epoll, events, BATCH, -1) < 0 && errno == EINTR)
            ;
    }
    return NULL;
}

int iothread_start(struct iothread *io, struct error *error)
{
    if (thread_start(&io->thread, loop, io, error) < 0)
        return -1;
    io->running = true;
    return 0;
}

void iothread_wake(struct iothread *io)
{
    notifier_signal(&io->wake);
}

void iothread_close(struct iothread *io)
{
    if (io->run == NULL)
        return;
    __atomic_store_n(&io->stop, true, __ATOMIC_RELEASE);
    if (io->running) {
        iothread_wake(io);
        thread_join(&io->thread);
    }
    notifier_close(&io->wake);
    close(io->epoll);
    *io = (struct iothread){0};
}
