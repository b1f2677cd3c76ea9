/*
 * Keeps unpacked kernels in the user's cache. What a start unpacks is written while the guest
 * already runs, by a thread of its own.
 */
#ifndef KERNEL_CACHE_H
#define KERNEL_CACHE_H

#include "boot/linux/cached.h"

extern const struct cached_ops kernel_cache_ops;

/* Whether this run has unpacked a kernel that kernel_cache_start will write. */
bool kernel_cache_is_due(void);
/* Begins to write what this run unpacked: once the guests run, and after events_init. */
void kernel_cache_start(void);
/* Waits for what is still being written, as long as the program has patience (events.h): then it is
 * not kept. */
void kernel_cache_finish(void);

/* In a copy of the process, where no thread writes. */
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
