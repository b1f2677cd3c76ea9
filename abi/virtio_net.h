/* The virtio network device (virtio 1.2, 5.1). */
#ifndef ABI_VIRTIO_NET_H
#define ABI_VIRTIO_NET_H

#include <stdint.h>

/* CSUM and TSO: the device completes checksums and takes segments that are too long; GUEST: the
 * driver does. */
#define VIRTIO_NET_F_CSUM       (UINT64_C(1) << 0)
#define VIRTIO_NET_F_GUEST_CSUM (UINT64_C(1) << 1)
#define VIRTIO_NET_F_MTU        (UINT64_C(1) << 3)
#define VIRTIO_NET_F_MAC        (UINT64_C(1) << 5)
#define VIRTIO_NET_F_GUEST_TSO4 (UINT64_C(1) << 7)
#define VIRTIO_NET_F_GUEST_TSO6 (UINT64_C(1) << 8)
#define VIRTIO_NET_F_HOST_TSO4  (UINT64_C(1) << 11)
#define VIRTIO_NET_F_HOST_TSO6  (UINT64_C(1) << 12)
#define VIRTIO_NET_F_MRG_RXBUF  (UINT64_C(1) << 15)
#define VIRTIO_NET_F_STATUS     (UINT64_C(1) << 16)

enum { VIRTIO_NET_RECEIVE = 0, VIRTIO_NET_TRANSMIT = 1, VIRTIO_NET_QUEUES = 2 };
enum { VIRTIO_NET_S_LINK_UP = 1 };
enum { VIRTIO_NET_HDR_F_DATA_VALID = 2 };

struct virtio_net_config {
    uint8_t mac[6];
    uint16_t status, max_virtqueue_pairs, mtu;
};
_Static_assert(sizeof(struct virtio_net_config) == 12, "virtio 1.2, 5.1.4");

/* Before each frame. */
struct virtio_net_header {
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset, num_buffers;
};
_Static_assert(sizeof(struct virtio_net_header) == 12, "virtio 1.2, 5.1.6");

#endif
