/* The virtio network device (virtio 1.2, 5.1), on a network of the host (host/net/net.h). */
#ifndef DEV_VIRTIO_NET_H
#define DEV_VIRTIO_NET_H

#include "abi/virtio_net.h"
#include "dev/virtio/device.h"
#include "host/net/net.h"

enum { NET_QUEUE_SIZE = 256, NET_MERGED_MAX = 64 };

struct net_buffers;

/* What is saved. */
struct net_state {
    uint32_t connections; /* TCP connections of its network, which are lost with it */
    uint16_t status;      /* the state of the link that the driver has seen */
    uint16_t unused;
};

struct net {
    struct virtio_device device;
    struct net_host *host;
    struct virtio_net_config config;
    struct net_buffers *buffers;
    struct net_state state; /* while it is saved or loaded */
};

/* `host` belongs to the caller. On failure nothing is to be closed. */
int net_init(struct net *net, const struct backend *backend, unsigned index, struct net_host *host,
             struct error *error) MUST_CHECK;

#endif
