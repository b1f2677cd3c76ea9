/* virtio devices on the PCI bus. */
#ifndef HLEOS_DISK_VIRTIO_PCI_H
#define HLEOS_DISK_VIRTIO_PCI_H

#include "device/pci.h"
#include "disk/virtio_bus.h"

/* Finds and maps the registers; NULL, or what is missing. */
const char *virtio_pci_open(struct virtio_bus *bus, const struct pci_function *function);

#endif
