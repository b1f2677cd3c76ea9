/*
 * The virtio socket device (virtio 1.2, 5.10): streams between the guest's AF_VSOCK sockets and
 * sockets of the host (host/net/vsock.h). Bytes for the guest stay in the host's socket until the
 * guest has room; of those for the host at most VSOCK_BUFFER a connection wait here, which is the
 * credit that the guest gets.
 *
 * Connections cannot be saved: a guest that goes on from a saved state is told that all are gone
 * (5.10.6.7). It then ends all its connections, also one that a packet has opened just before that.
 * Until the guest has offered its buffer for events again, it gets no packet. The numbering of the
 * host's ports continues: a port that the guest believes to be in use is not given to another
 * client.
 */
#ifndef DEV_VIRTIO_VSOCK_H
#define DEV_VIRTIO_VSOCK_H

#include "abi/virtio_vsock.h"
#include "dev/virtio/device.h"
#include "host/net/vsock.h"

enum {
    VSOCK_CONNECTIONS_MAX = 1024,
    VSOCK_BUFFER = 64 * 1024,
    VSOCK_QUEUE_SIZE = 128,
    VSOCK_REFUSALS_MAX = 64
};

struct vsock_connections;

enum vsock_reset {
    VSOCK_NO_RESET,
    VSOCK_RESET_DUE, /* the guest is to hear that its connections are gone */
    VSOCK_RESET_TOLD /* it was told, and has not offered its event buffer again */
};

/* What is saved of it beside the queues: plain data. */
struct vsock_saved {
    uint32_t last_port; /* of the host, that a client got */
    uint16_t offered;   /* VSOCK_RESET_TOLD: how many buffers for events there had been */
    uint8_t reset;      /* enum vsock_reset */
    uint8_t unused;
};

struct vsock {
    struct virtio_device device;
    struct vsock_host *host;
    struct virtio_vsock_config config;
    struct vsock_saved saved;
    struct vsock_connections *connections;
};

/* `host` belongs to the caller. On failure nothing is to be closed. */
int vsock_init(struct vsock *vsock, const struct backend *backend, unsigned index, uint64_t cid,
               struct vsock_host *host, struct error *error) MUST_CHECK;

#endif
