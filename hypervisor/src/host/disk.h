/* The machine's own virtio block devices, as disks for guests. */
#ifndef HOST_DISK_H
#define HOST_DISK_H

#include "dev/virtio/blk.h"

/* Opens the machine's disk number `unit`; false where there is none, or another guest has it. */
bool disk_open_host(struct disk *disk, unsigned unit) MUST_CHECK;

#endif
