/* virtio block devices, on the PCI bus and in memory: virtio 1.x ("modern") only. */
#ifndef HLEOS_DISK_VIRTIO_H
#define HLEOS_DISK_VIRTIO_H

struct disk;

/* Calls `add` for each disk found. Must run in a thread, after wait_init(). */
void virtio_init(void (*add)(struct disk *disk));

#endif
