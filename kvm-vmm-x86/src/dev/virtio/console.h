/*
 * The virtio console device (virtio 1.2, 5.3): a console (hvc0 in Linux) and ports with names
 * (/dev/virtio-ports/NAME), each the guest's end of a channel.
 *
 * A driver without MULTIPORT has only channel 0, which then counts as open.
 */
#ifndef DEV_VIRTIO_CONSOLE_H
#define DEV_VIRTIO_CONSOLE_H

#include "abi/virtio_console.h"
#include "dev/virtio/channel.h"
#include "dev/virtio/device.h"

enum { VIRTIO_CONSOLE_QUEUE_SIZE = 64 };

struct virtio_console_port {
    uint32_t skip;   /* bytes of the request that waits first that the host has already */
    uint8_t pending; /* messages for the driver: a bit for each event */
    bool ready;      /* the driver knows it */
    bool told_open;  /* the driver believes that the host's end is open */
    bool open;       /* the driver has its end open */
    bool closing;    /* it has closed it, and the host has not all bytes from before yet */
};

/* All state that a driver can change: plain data. */
struct virtio_console_state {
    struct virtio_console_port port[CHANNELS_MAX];
};

struct virtio_console {
    struct virtio_device device;
    const struct channels *channels;
    struct virtio_console_config config;
    struct virtio_console_state state;
};

/* `channels` has at least one channel, and must outlive the device. */
void virtio_console_init(struct virtio_console *console, const struct backend *backend,
                         unsigned index, const struct channels *channels);

#endif
