/*
 * The host's side of a guest's sockets (dev/virtio/vsock.c), without waiting: unix sockets, by
 * Firecracker's convention. A client connects to PATH and writes "CONNECT PORT\n" (the device reads
 * that); what the guest connects to is the socket PATH_PORT.
 *
 * One thread at a time uses it, with its device's lock held. It is owned by the maker of the guest
 * and outlives the guest. A struct vsock_host is also what unit tests and fuzzers put in the place
 * of a real one.
 */
#ifndef HOST_NET_VSOCK_H
#define HOST_NET_VSOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/error.h"
#include "common/device/virtio/virtio.h"

/* An event of a connection, identified by its tag, or of the listener. */
enum { VSOCK_LISTENER = UINT16_MAX };
struct vsock_news {
    uint16_t tag;
    bool readable, writable; /* until a call says -EAGAIN */
};

struct vsock_host;

/* Connections are numbers from 0 on; failures are negative errnos, -EAGAIN: not now. After another
 * failure of `accept` there may be more clients. */
struct vsock_host_ops {
    unsigned (*news)(struct vsock_host *host, struct vsock_news *news, unsigned max);
    int (*accept)(struct vsock_host *host, uint16_t tag);
    int (*connect)(struct vsock_host *host, uint32_t port, uint16_t tag);
    /* How many bytes were moved; reading, 0 at the end. */
    int64_t (*read)(struct vsock_host *host, int connection, const struct virtio_piece *pieces,
                    unsigned count);
    int64_t (*write)(struct vsock_host *host, int connection, const struct virtio_piece *pieces,
                     unsigned count);
    void (*end_output)(struct vsock_host *host, int connection);
    void (*end_input)(struct vsock_host *host, int connection);
    void (*close)(struct vsock_host *host, int connection);
};

struct vsock_host {
    const struct vsock_host_ops *ops;
    int fd;         /* becomes readable when there are news */
    unsigned limit; /* at most so many connections */
};

/* For guest number `guest`. NULL: `error` says why not. */
struct vsock_host *vsock_host_open(const struct vsock_config *config, unsigned guest,
                                   struct error *error) MUST_CHECK;
/* Removes its socket's file. The device closes its connections. */
void vsock_host_close(struct vsock_host *host);

#endif
