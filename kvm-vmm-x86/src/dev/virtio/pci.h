/*
 * Virtio over PCI (virtio 1.2, 4.1): what makes a virtio device a function of a PCI bus. Registers
 * and MSI-X table are in one BAR; all queues are notified at one place, so that one ioeventfd is
 * enough. A modern device only: there are no I/O ports.
 */
#ifndef DEV_VIRTIO_PCI_H
#define DEV_VIRTIO_PCI_H

#include "dev/msix.h"
#include "dev/virtio/device.h"

enum { VIRTIO_PCI_VECTORS_MAX = VIRTIO_QUEUES_MAX + 1 };

/* All state that a driver can change: plain data, which is saved. */
struct virtio_pci_state {
    uint8_t config[PCI_CONFIG_SIZE];
    struct pci_msix_entry table[VIRTIO_PCI_VECTORS_MAX];
    uint16_t vectors[VIRTIO_PCI_VECTORS_MAX]; /* of each queue; the last: of the configuration */
    uint16_t reserved;
    uint32_t pending; /* vectors that are masked and wait, a bit each */
};

struct virtio_pci {
    struct virtio_device *device; /* whose lock protects what follows */
    struct pci_function function;
    uint8_t fresh[PCI_CONFIG_SIZE]; /* its configuration space as after power-on */
    struct msix msix;               /* of the table and the pending bits in */
    struct virtio_pci_state state;  /* its `config` is used only for save and load */
};

/* Makes `device` a function of the bus. It is initialised, and its driver does not run. */
void virtio_pci_init(struct virtio_pci *function, struct virtio_device *device, struct pci *pci,
                     unsigned slot);

#endif
