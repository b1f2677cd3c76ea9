/*
 * virtio network device (virtio 1.2, 5.1), plugged into a switch that VMs name in their manifests:
 * a frame goes to every other VM on the same switch. Queue 0 receives, queue 1 sends.
 */
#ifndef DEV_VIRTIO_NET_H
#define DEV_VIRTIO_NET_H

#include "dev/virtio/slot.h"

enum { NET_FRAME_MAX = 1526 }; /* virtio header 12, Ethernet header 14, payload 1500 */
enum { NET_INBOX = 8 };

struct net_frame {
    uint16_t size;
    uint8_t bytes[NET_FRAME_MAX];
};

struct net {
    uint8_t mac[6];
    uint64_t sent, received, dropped;
    struct net_frame frame; /* of STEP_FRAME */
    bool to_hand_on;        /* that frame has to be passed on, once its request was pushed */
    struct net_frame
        inbox[NET_INBOX]; /* from others, for which guest memory must be allocated first */
    unsigned head, count;
};

extern const struct slot_kind net_kind; /* device: struct net */

/* Receives a frame from another VM: delivers it, drops it if the driver has no buffer, or keeps it
 * for the device's next step. */
void net_receive(struct slot *slot, const struct net_frame *frame);

#endif
