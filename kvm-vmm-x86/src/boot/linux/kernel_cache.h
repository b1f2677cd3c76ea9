/*
 * Keeps unpacked kernels in the user's cache. A separate thread writes what a start unpacked, while
 * the guest already runs.
 */
#ifndef KERNEL_CACHE_H
#define KERNEL_CACHE_H

#include "boot/linux/cached.h"

extern const struct cached_ops kernel_cache_ops;

/* Whether this run has unpacked a kernel that kernel_cache_start will write. */
bool kernel_cache_is_due(void);
/* Begins to write what this run unpacked: once the guests run, and after events_init. */
void kernel_cache_start(void);
/* Waits until the kernel is written. If the program must end before that (events.h), it is not
 * kept. */
void kernel_cache_finish(void);

/* For a forked process, which has no thread that writes: forgets the kernel. */
void kernel_cache_leave(void);

/* What became of this run's kernel, for --boot-report. */
enum kernel_cache_use {
    KERNEL_CACHE_UNUSED,
    KERNEL_CACHE_HIT,
    KERNEL_CACHE_WRITTEN,
    KERNEL_CACHE_FAILED
};
enum kernel_cache_use kernel_cache_used(void);

#endif
