/*
 * The machine's own virtio block devices. A device accesses memory by DMA, and may still do so
 * after a time-out. So it only ever gets addresses of pages that the driver keeps, and a device
 * that does not answer is reset before it is used again.
 */
#ifndef HOST_DISK_H
#define HOST_DISK_H

#include "lib/types.h"

enum { DISK_ORDER = 3 };                       /* of the pages a device needs */
enum { DISK_SECTOR = 512, DISK_SECTORS = 56 }; /* of a request at most */
enum { DISK_BUSY = 1, DISK_OK = 0, DISK_ERROR = -1 };

/* Opens the machine's disk number `number` with zeroed `pages`, which the disk keeps until
 * disk_close(). Returns its handle, or a negative number if it does not exist, does not start, or
 * is open already. */
int disk_open(unsigned number, void *pages) MUST_CHECK;
/* Closes it and returns its pages, which the device no longer uses; NULL if the device cannot be
 * stopped and keeps them. */
void *disk_close(int disk);
uint64_t disk_capacity(int disk); /* in sectors */
/* The bytes that a request reads or writes. */
void *disk_data(int disk);

bool disk_is_idle(int disk);
/* Begins a request of an idle disk, without waiting. DISK_OK or DISK_ERROR. */
int disk_begin(int disk, bool write, uint64_t sector, unsigned count) MUST_CHECK;
/* The state of the request: DISK_BUSY, DISK_OK or DISK_ERROR, which is an error of the medium or no
 * answer for ten seconds. */
int disk_state(int disk) MUST_CHECK;

#endif
