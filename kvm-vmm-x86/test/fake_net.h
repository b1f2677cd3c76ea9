/* A network without a host behind it, for unit tests and fuzzers: frames that were sent are kept,
 * and those to receive come from a list. */
#ifndef TEST_FAKE_NET_H
#define TEST_FAKE_NET_H

#include <errno.h>
#include <string.h>

#include "host/net/net.h"

struct fake_net {
    struct net_host host;
    uint8_t sent[NET_FRAME_MAX], waiting[NET_FRAME_MAX];
    size_t sent_size;
    unsigned sent_count;
    size_t waiting_size;    /* of each frame that is to be received */
    unsigned waiting_count; /* how many there are of it */
    bool full;              /* sends nothing now */
    uint64_t chosen;
};

static inline bool fake_net_service(struct net_host *host)
{
    (void)host;
    return false;
}

static inline int fake_net_send(struct net_host *host, const struct virtio_piece *pieces,
                                unsigned count, size_t size)
{
    struct fake_net *f = (struct fake_net *)host;

    if (f->full)
        return -EAGAIN;
    f->sent_size = 0;
    for (unsigned i = 0; i < count; i++) {
        memcpy(f->sent + f->sent_size, pieces[i].at, pieces[i].size);
        f->sent_size += pieces[i].size;
    }
    f->sent_count += f->sent_size == size;
    return 0;
}

static inline size_t fake_net_receive(struct net_host *host, uint8_t *frame, size_t room)
{
    struct fake_net *f = (struct fake_net *)host;

    if (f->waiting_count == 0 || f->waiting_size > room)
        return 0;
    f->waiting_count--;
    memcpy(frame, f->waiting, f->waiting_size);
    return f->waiting_size;
}

static inline void fake_net_choose(struct net_host *host, uint64_t features)
{
    ((struct fake_net *)host)->chosen = features;
}

static const struct net_host_ops fake_net_ops = {.service = fake_net_service,
                                                 .send = fake_net_send,
                                                 .receive = fake_net_receive,
                                                 .choose = fake_net_choose};

static inline void fake_net_init(struct fake_net *f)
{
    *f = (struct fake_net){.host = {.ops = &fake_net_ops,
                                    .fd = -1,
                                    .mac = {2, 0, 0, 0, 0, 9},
                                    .mtu = 1500,
                                    .up = true,
                                    .good_sums = true}};
    for (size_t i = 0; i < sizeof f->waiting; i++)
        f->waiting[i] = (uint8_t)(i * 7);
}

#endif
