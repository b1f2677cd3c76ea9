/*
 * Where images are: the hypervisor's initrd, and archives that were read from the machine's disks,
 * each a disk's first byte to its last. What has been read stays, as guests are loaded from it
 * again at each boot.
 */
#ifndef VM_ARCHIVE_H
#define VM_ARCHIVE_H

#include "lib/cpio.h"

enum { ARCHIVES_MAX = 4 };

/* Reads the machine's disk number `number` by a task of its own, which says how that went; false,
 * after one line, where it cannot begin. */
bool archive_begin(unsigned number) MUST_CHECK;
/* The first file of that name, in the order in which the archives came. */
bool archive_find(const char *name, struct cpio_file *file);
/* The memory that those read from disks keep. */
uint64_t archive_bytes(void);

#endif
