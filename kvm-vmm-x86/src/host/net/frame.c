/* What the kinds of networks have in common; see net.h. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "host/net/net.h"

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

/* False for ICMPv6, which the network answers itself. True for an IPv4 fragment: it may complete a
 * datagram that begins a flow. */
bool net_begins_flow(const uint8_t *frame, size_t size)
{
    bool six = size >= NET_FRAME_MIN + 40 && frame[12] == 0x86 && frame[13] == 0xdd;
    bool four = size >= NET_FRAME_MIN + 20 && frame[12] == 0x08 && frame[13] == 0x00;
    const uint8_t *ip = frame + NET_FRAME_MIN;
    size_t at = six ? 40 : four ? (size_t)(ip[0] & 15) * 4 : 0;
    uint8_t protocol = six ? ip[6] : four ? ip[9] : 0;

    if (four && ((ip[6] & 0x3f) != 0 || ip[7] != 0))
        return true;
    if (protocol == IPPROTO_TCP && size >= NET_FRAME_MIN + at + 14)
        return (ip[at + 13] & (TH_SYN | TH_ACK)) == TH_SYN;
    return protocol == IPPROTO_UDP || (four && protocol == IPPROTO_ICMP);
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
