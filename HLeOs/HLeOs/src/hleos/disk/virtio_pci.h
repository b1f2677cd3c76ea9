/* The registers of a virtio device on the PCI bus (virtio 1.2, 4.1). */
#ifndef HLEOS_DISK_VIRTIO_PCI_H
#define HLEOS_DISK_VIRTIO_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "device/pci.h"
#include "memory/address.h"

/* Where they are mapped. */
struct virtio_pci {
    volatile uint8_t *common, *notify, *isr, *config;
    uint32_t notify_step;    /* bytes from one queue's notification to the next */
    volatile uint16_t *kick; /* the first queue's notification; virtio_pci_queue() sets it */
    unsigned line;
};

/* Finds and maps the registers; NULL, or what is missing. */
const char *virtio_pci_open(struct virtio_pci *virtio, const struct pci_function *function);

/* Ends whatever the device does, and waits for that; -1 if it does not come. */
int virtio_pci_reset(const struct virtio_pci *virtio) __attribute__((warn_unused_result));
/* Takes those of `wanted` that the device has; -1 if one of `needed` is not among them, or if the
 * device refuses. */
int virtio_pci_negotiate(const struct virtio_pci *virtio, uint64_t wanted, uint64_t needed,
                         uint64_t *features) __attribute__((warn_unused_result));
/* The first queue's place; -1 if the device has none of that size. */
int virtio_pci_queue(struct virtio_pci *virtio, uint16_t size, phys_t descriptors, phys_t available,
                     phys_t used) __attribute__((warn_unused_result));
void virtio_pci_start(const struct virtio_pci *virtio);

/* Whether the interrupt was the device's, which takes it back. */
bool virtio_pci_interrupted(const struct virtio_pci *virtio);
uint64_t virtio_pci_config64(const struct virtio_pci *virtio, unsigned offset);

#endif
