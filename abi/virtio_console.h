/* The virtio console device (virtio 1.2, 5.3). */
#ifndef ABI_VIRTIO_CONSOLE_H
#define ABI_VIRTIO_CONSOLE_H

#include <stdint.h>

#define VIRTIO_CONSOLE_F_SIZE      (UINT64_C(1) << 0)
#define VIRTIO_CONSOLE_F_MULTIPORT (UINT64_C(1) << 1)

struct virtio_console_config {
    uint16_t columns, rows; /* of port 0 */
    uint32_t max_nr_ports;
    uint32_t emergency_write;
};
_Static_assert(sizeof(struct virtio_console_config) == 12, "virtio 1.2, 5.3.4");

/* On the control queues; behind a name follow its characters, behind a size its two numbers. */
struct virtio_console_control {
    uint32_t port;
    uint16_t event, value;
};
_Static_assert(sizeof(struct virtio_console_control) == 8, "virtio 1.2, 5.3.6.2");

enum virtio_console_event {
    VIRTIO_CONSOLE_DEVICE_READY = 0, /* by the driver, as PORT_READY */
    VIRTIO_CONSOLE_PORT_ADD = 1,
    VIRTIO_CONSOLE_PORT_REMOVE = 2,
    VIRTIO_CONSOLE_PORT_READY = 3,
    VIRTIO_CONSOLE_CONSOLE_PORT = 4,
    VIRTIO_CONSOLE_RESIZE = 5,
    VIRTIO_CONSOLE_PORT_OPEN = 6, /* by either side */
    VIRTIO_CONSOLE_PORT_NAME = 7,
};

/* Linux had the two the other way round for years (drivers/char/virtio_console.c): an old one shows
 * a terminal of 80 rows. */
struct virtio_console_size {
    uint16_t columns, rows;
};

#endif
