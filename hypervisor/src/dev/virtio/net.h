/*
 * virtio network device (virtio 1.2, 5.1), plugged into a switch that VMs name in their manifests:
 * a frame goes to every other VM on the same switch. Queue 0 receives, queue 1 sends.
 */
#ifndef DEV_VIRTIO_NET_H
#define DEV_VIRTIO_NET_H

#include "dev/virtio/virtio.h"

enum { NET_FRAME_MAX = 1526 }; /* virtio header 12, Ethernet header 14, payload 1500 */

struct net {
    uint8_t mac[6];
    uint64_t sent, received, dropped;
};

extern const struct virtio_ops virtio_net_ops; /* state: struct net */

#endif
