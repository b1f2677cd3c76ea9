/*
 * The archives with the guests' images: the hypervisor's initrd, and whole disks of the machine
 * that were read into memory. They stay there, as guests are loaded from them again at each boot.
 */
#ifndef VM_ARCHIVE_H
#define VM_ARCHIVE_H

#include "lib/cpio.h"

enum { ARCHIVES_MAX = 4 };

/* Reads the machine's disk number `number` in a separate task, which prints the result; false after
 * an error message if it cannot begin. */
bool archive_begin(unsigned number) MUST_CHECK;
/* The first file of that name, in the order in which the archives came. */
bool archive_find(const char *name, struct cpio_file *file);
/* The memory that those read from disks keep. */
uint64_t archive_bytes(void);

#endif
