/*
 * What a virtio device and its driver agree on: Virtual I/O Device (VIRTIO) 1.2, sections given
 * with each part. Little-endian.
 */
#ifndef ABI_VIRTIO_H
#define ABI_VIRTIO_H

#include <stdint.h>

/* Device types (5). */
enum virtio_id {
    VIRTIO_ID_NET = 1,
    VIRTIO_ID_BLOCK = 2,
    VIRTIO_ID_CONSOLE = 3,
    VIRTIO_ID_ENTROPY = 4,
    VIRTIO_ID_BALLOON = 5,
    VIRTIO_ID_VSOCK = 19,
    VIRTIO_ID_FS = 26,
};

/* Device status (2.1). */
enum virtio_status {
    VIRTIO_STATUS_ACKNOWLEDGE = 1,
    VIRTIO_STATUS_DRIVER = 2,
    VIRTIO_STATUS_DRIVER_OK = 4,
    VIRTIO_STATUS_FEATURES_OK = 8,
    VIRTIO_STATUS_NEEDS_RESET = 64,
    VIRTIO_STATUS_FAILED = 128,
};

/* Features that are not of one device (6). */
#define VIRTIO_F_INDIRECT_DESC (UINT64_C(1) << 28)
#define VIRTIO_F_EVENT_IDX     (UINT64_C(1) << 29)
#define VIRTIO_F_VERSION_1     (UINT64_C(1) << 32)

/* Registers of virtio over MMIO, version 2 (4.2.2). */
enum virtio_mmio_register {
    VIRTIO_MMIO_MAGIC = 0x000,
    VIRTIO_MMIO_VERSION = 0x004,
    VIRTIO_MMIO_DEVICE_ID = 0x008,
    VIRTIO_MMIO_VENDOR_ID = 0x00c,
    VIRTIO_MMIO_DEVICE_FEATURES = 0x010,
    VIRTIO_MMIO_DEVICE_FEATURES_SEL = 0x014,
    VIRTIO_MMIO_DRIVER_FEATURES = 0x020,
    VIRTIO_MMIO_DRIVER_FEATURES_SEL = 0x024,
    VIRTIO_MMIO_QUEUE_SEL = 0x030,
    VIRTIO_MMIO_QUEUE_NUM_MAX = 0x034,
    VIRTIO_MMIO_QUEUE_NUM = 0x038,
    VIRTIO_MMIO_QUEUE_READY = 0x044,
    VIRTIO_MMIO_QUEUE_NOTIFY = 0x050,
    VIRTIO_MMIO_INTERRUPT_STATUS = 0x060,
    VIRTIO_MMIO_INTERRUPT_ACK = 0x064,
    VIRTIO_MMIO_STATUS = 0x070,
    VIRTIO_MMIO_QUEUE_DESC = 0x080, /* and the high half behind it, as of the next two */
    VIRTIO_MMIO_QUEUE_DRIVER = 0x090,
    VIRTIO_MMIO_QUEUE_DEVICE = 0x0a0,
    VIRTIO_MMIO_SHM_LENGTH = 0x0b0, /* two halves; and the base */
    VIRTIO_MMIO_SHM_BASE = 0x0b8,
    VIRTIO_MMIO_CONFIG_GENERATION = 0x0fc,
    VIRTIO_MMIO_CONFIG = 0x100,
};
#define VIRTIO_MMIO_MAGIC_VALUE UINT32_C(0x74726976) /* "virt" */

enum virtio_interrupt { VIRTIO_INTERRUPT_USED = 1, VIRTIO_INTERRUPT_CONFIG = 2 };

/* Split virtqueues (2.7). */
enum virtio_descriptor_flag {
    VIRTIO_DESC_NEXT = 1,
    VIRTIO_DESC_WRITE = 2,
    VIRTIO_DESC_INDIRECT = 4,
};

struct virtio_descriptor {
    uint64_t address;
    uint32_t size;
    uint16_t flags, next;
};
_Static_assert(sizeof(struct virtio_descriptor) == 16, "virtio 1.2, 2.7.5");

/* The available ring: flags, index, `size` heads, the event of the used ring. The used ring: flags,
 * index, `size` elements, the event of the available ring. */
enum { VIRTIO_RING_FLAGS = 0, VIRTIO_RING_INDEX = 2, VIRTIO_RING_ENTRIES = 4 };
enum { VIRTIO_RING_NO_EVENT = 1 }; /* the flag: no notification is wanted */

struct virtio_used {
    uint32_t head, written;
};

#endif
