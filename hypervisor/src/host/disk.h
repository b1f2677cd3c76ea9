/*
 * The machine's own virtio block devices. A device reads and writes by itself, and none may be
 * trusted to be done when its time is up: all it is ever told of are the pages that the driver owns
 * for good, and one that does not answer is reset before it is used again.
 */
#ifndef HOST_DISK_H
#define HOST_DISK_H

#include "lib/types.h"

enum { DISK_ORDER = 3 };                       /* of the pages a device needs */
enum { DISK_SECTOR = 512, DISK_SECTORS = 56 }; /* of a request at most */
enum { DISK_BUSY = 1, DISK_OK = 0, DISK_ERROR = -1 };

/* Opens the machine's disk number `number` on zeroed `pages`, which stay its own. Its handle, or
 * negative where it does not exist, it does not start, or it is open already. */
int disk_open(unsigned number, void *pages) MUST_CHECK;
/* Its pages, of which the device knows nothing any more; NULL where it does not let them go. */
void *disk_close(int disk);
uint64_t disk_capacity(int disk); /* in sectors */
/* The bytes that a request reads or writes. */
void *disk_data(int disk);

bool disk_is_idle(int disk);
/* Begins a request of a disk that is idle, without waiting. */
int disk_begin(int disk, bool write, uint64_t sector, unsigned count) MUST_CHECK;
/* How the request goes. An error is one of the medium's, or a second without an answer. */
int disk_state(int disk) MUST_CHECK;

#endif
