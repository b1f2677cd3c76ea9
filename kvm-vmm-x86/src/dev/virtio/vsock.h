/*
 * The virtio socket device (virtio 1.2, 5.10): streams between the guest's AF_VSOCK sockets and
 * sockets of the host (host/net/vsock.h). Bytes for the guest stay in the host's socket until the
 * guest has room; of those for the host at most VSOCK_BUFFER a connection wait here, which is the
 * credit that the guest gets.
 *
 * Connections cannot be saved: a guest that goes on from a saved state is told that all are gone
 * (5.10.6.7), as is one whose driver resets the device.
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

/* What a driver can have changed beside the queues: plain data. */
struct vsock_saved {
    uint8_t reset_due; /* the guest is to hear that its connections are gone */
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
