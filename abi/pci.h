/*
 * PCI as a driver sees it: configuration space (PCI Local Bus Specification 3.0, 6.1, 6.7), MSI-X
 * (6.8.2), a function's reset (Advanced Capabilities ECN), and virtio over PCI (virtio 1.2, 4.1).
 */
#ifndef ABI_PCI_H
#define ABI_PCI_H

#include <stdint.h>

/* The registers of configuration mechanism 1 (3.2.2.3.2). */
enum { PCI_ADDRESS_PORT = 0xcf8, PCI_DATA_PORT = 0xcfc };
#define PCI_ADDRESS_ENABLE UINT32_C(0x80000000)

/* 6.1 */
enum pci_register {
    PCI_VENDOR = 0x00,
    PCI_DEVICE = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION = 0x08,
    PCI_CLASS = 0x09,
    PCI_BAR = 0x10, /* the first of six */
    PCI_SUBSYSTEM_VENDOR = 0x2c,
    PCI_SUBSYSTEM = 0x2e,
    PCI_CAPABILITIES = 0x34,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d,
};

enum pci_command {
    PCI_COMMAND_MEMORY = 1 << 1,
    PCI_COMMAND_MASTER = 1 << 2,
    PCI_COMMAND_NO_INTX = 1 << 10,
};
enum pci_status { PCI_STATUS_INTX = 1 << 3, PCI_STATUS_CAPABILITIES = 1 << 4 };
enum { PCI_BAR_64_BITS = 4, PCI_BAR_FLAGS = 15 }; /* 6.2.5.1: of a BAR of memory */

/* Appendix H */
enum pci_capability { PCI_CAP_VENDOR = 0x09, PCI_CAP_MSIX = 0x11, PCI_CAP_AF = 0x13 };

enum { PCI_MSIX_CONTROL = 2, PCI_MSIX_TABLE = 4, PCI_MSIX_PENDING = 8 }; /* in the capability */
enum pci_msix_control { PCI_MSIX_MASK = 1 << 14, PCI_MSIX_ENABLE = 1 << 15 };

/* An entry of the table. */
struct pci_msix_entry {
    uint64_t address;
    uint32_t data, control;
};
enum { PCI_MSIX_ENTRY_MASK = 1 };
_Static_assert(sizeof(struct pci_msix_entry) == 16, "PCI 3.0, 6.8.2");

/* Advanced features: a reset of the function alone. */
enum { PCI_AF_LENGTH = 2, PCI_AF_OFFERED = 3, PCI_AF_CONTROL = 4, PCI_AF_SIZE = 6 };
enum { PCI_AF_TRANSACTIONS = 1, PCI_AF_RESET = 2 };

/* --- virtio --- */

enum { VIRTIO_PCI_VENDOR = 0x1af4, VIRTIO_PCI_DEVICE = 0x1040 /* and the virtio device's type */ };
enum { VIRTIO_PCI_NO_VECTOR = 0xffff };

/* 4.1.4: a vendor's capability says where a part of the registers is. */
enum virtio_pci_part {
    VIRTIO_PCI_COMMON = 1,
    VIRTIO_PCI_NOTIFY = 2,
    VIRTIO_PCI_ISR = 3,
    VIRTIO_PCI_CONFIG = 4,
    VIRTIO_PCI_WINDOW = 5,
};
struct virtio_pci_capability {
    uint8_t id, next, length, part, bar, number, padding[2];
    uint32_t offset, size;
};
_Static_assert(sizeof(struct virtio_pci_capability) == 16, "virtio 1.2, 4.1.4");

/* 4.1.4.3 */
struct virtio_pci_common {
    uint32_t feature_select, features, driver_feature_select, driver_features;
    uint16_t config_vector, queues;
    uint8_t status, generation;
    uint16_t queue_select, queue_size, queue_vector, queue_enable, queue_notify;
    uint64_t descriptors, driver, device;
    uint16_t queue_notify_data, queue_reset;
    uint32_t padding;
};
_Static_assert(sizeof(struct virtio_pci_common) == 64, "virtio 1.2, 4.1.4.3");

#endif
