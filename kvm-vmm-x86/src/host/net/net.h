/*
 * The host's end of a guest's network cable: frames out and in, without waiting. By libslirp, which
 * turns them into sockets of this process, by passt (a program that does the same outside), or by a
 * tap interface of the kernel.
 *
 * One thread at a time uses it, with its device's lock held. It is owned by the maker of the guest
 * and outlives the guest. A struct net_host is also what unit tests and fuzzers put in the place of
 * a real one.
 */
#ifndef HOST_NET_NET_H
#define HOST_NET_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/error.h"
#include "common/device/virtio/virtio.h"

/* An Ethernet frame with an IP packet of the greatest size, and what stands before it. */
enum { NET_FRAME_MAX = 65536 + 64, NET_FRAME_MIN = 14 };

struct net_host_ops {
    /* Reads what has come, and runs timers. True: call it again soon. Call it before receive and
     * send. */
    bool (*service)(struct net_host *host);
    /* Takes one frame, or drops it. -EAGAIN: not now; `fd` becomes readable when it may. */
    int (*send)(struct net_host *host, const struct virtio_piece *pieces, unsigned count,
                size_t size);
    /* The next frame's size; 0: none has come. */
    size_t (*receive)(struct net_host *host, uint8_t *frame, size_t room);
    /* The driver has accepted these features of `offloads`. NULL: it has none. */
    void (*choose)(struct net_host *host, uint64_t features);
    /* How many TCP connections end in this process. NULL: none do. */
    unsigned (*connections)(struct net_host *host);
    void (*close)(struct net_host *host);
};

struct net_host {
    const struct net_host_ops *ops;
    int fd; /* becomes readable when there is something to do */
    uint8_t mac[6];
    uint16_t mtu;
    bool up;           /* the link */
    bool due;          /* to be serviced again: by what was sent or received */
    bool with_header;  /* frames have a struct virtio_net_header before them */
    bool good_sums;    /* checksums of received frames are good */
    uint64_t offloads; /* features of the device that it can do */
};

/* For guest `guest`, whose card is the `index`-th. NULL: `error` says why not. */
struct net_host *net_open(const struct net_config *config, unsigned guest, unsigned index,
                          struct error *error) MUST_CHECK;
/* For net_open. Each makes its own structure, which begins with a struct net_host. */
struct net_host *net_open_slirp(const struct net_config *config, struct error *error) MUST_CHECK;
struct net_host *net_open_passt(const struct net_config *config, struct error *error) MUST_CHECK;
struct net_host *net_open_tap(const struct net_config *config, struct error *error) MUST_CHECK;
void net_close(struct net_host *host);

/* For these three: copies a frame's pieces into one buffer; returns its size, or 0 if it does not
 * fit. */
size_t net_gather(const struct virtio_piece *pieces, unsigned count, uint8_t *to, size_t room);
/* Whether a frame of the guest's may be the first of a flow, which needs a socket of the host. */
bool net_begins_flow(const uint8_t *frame, size_t size);
/* An epoll descriptor that watches `fd` for both directions, edge-triggered; and forgets what it
 * has reported. Negative: none. */
int net_watch(int fd);
void net_forget(int epoll);

#endif
