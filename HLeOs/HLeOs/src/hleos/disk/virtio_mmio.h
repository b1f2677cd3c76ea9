/* virtio devices over MMIO, which ACPI names LNRO0005: those of kvm-vmm, and of QEMU's microvm. */
#ifndef HLEOS_DISK_VIRTIO_MMIO_H
#define HLEOS_DISK_VIRTIO_MMIO_H

#include "disk/virtio_bus.h"

/* Calls `visit` for each device of that type (abi/virtio.h). */
void virtio_mmio_scan(unsigned type, void (*visit)(void *context, const struct virtio_bus *bus),
                      void *context);

#endif
