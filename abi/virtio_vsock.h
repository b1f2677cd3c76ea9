/* The virtio socket device (virtio 1.2, 5.10). */
#ifndef ABI_VIRTIO_VSOCK_H
#define ABI_VIRTIO_VSOCK_H

#include <stdint.h>

enum { VIRTIO_VSOCK_RECEIVE, VIRTIO_VSOCK_TRANSMIT, VIRTIO_VSOCK_EVENT, VIRTIO_VSOCK_QUEUES };

/* The host's address; those below 3 are reserved, and the last one is for any. */
#define VIRTIO_VSOCK_HOST    UINT64_C(2)
#define VIRTIO_VSOCK_CID_MIN UINT64_C(3)
#define VIRTIO_VSOCK_CID_MAX (UINT64_C(0xffffffff) - 1)

struct virtio_vsock_config {
    uint64_t guest_cid;
};

struct virtio_vsock_header {
    uint64_t source_cid, target_cid;
    uint32_t source_port, target_port, size;
    uint16_t type, op;
    uint32_t flags;
    uint32_t buffer;    /* of the sender, for this connection; */
    uint32_t forwarded; /* bytes that have left it in all, modulo 2^32 */
} __attribute__((packed));
_Static_assert(sizeof(struct virtio_vsock_header) == 44, "virtio 1.2, 5.10.6");

enum { VIRTIO_VSOCK_STREAM = 1 };

enum virtio_vsock_op {
    VIRTIO_VSOCK_REQUEST = 1,
    VIRTIO_VSOCK_RESPONSE = 2,
    VIRTIO_VSOCK_RST = 3,
    VIRTIO_VSOCK_SHUTDOWN = 4,
    VIRTIO_VSOCK_RW = 5,
    VIRTIO_VSOCK_CREDIT_UPDATE = 6,
    VIRTIO_VSOCK_CREDIT_REQUEST = 7,
};

/* Of SHUTDOWN: the sender will not receive, not send. */
enum { VIRTIO_VSOCK_SHUT_RECEIVE = 1, VIRTIO_VSOCK_SHUT_SEND = 2 };

/* On the event queue: the guest's connections are gone. */
enum { VIRTIO_VSOCK_TRANSPORT_RESET = 0 };

#endif
