/* What the kinds of networks have in common; see net.h. */
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "host/net.h"

enum { BATCH = 4 };

size_t net_gather(const struct virtio_piece *pieces, unsigned count, uint8_t *to, size_t room)
{
    size_t size = 0;

    for (unsigned i = 0; i < count; i++) {
        if (pieces[i].size > room - size)
            return 0;
        memcpy(to + size, pieces[i].at, pieces[i].size);
        size += pieces[i].size;
    }
    return size;
}

int net_watch(int fd)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET};

    if (epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        close(epoll);
        return -1;
    }
    return epoll;
}

void net_forget(int epoll)
{
    struct epoll_event events[BATCH];

    while (epoll_wait(epoll, events, BATCH, 0) == BATCH)
        ;
}
