/* The kernel's heap: hleos/heap.h over pages, under a lock. Safe in interrupts. */
#ifndef HLEOS_KMALLOC_H
#define HLEOS_KMALLOC_H

#include <stddef.h>
#include <stdint.h>

struct kmalloc_stats {
    size_t blocks, bytes_used, bytes_peak, bytes_mapped;
    uint64_t allocations, frees, failures;
};

void kmalloc_init(void);

/* A block of at least `size` bytes, 16-byte aligned, contents unknown; NULL if memory is out. */
void *kmalloc(size_t size) __attribute__((warn_unused_result));
/* NULL is allowed. A block freed twice, overrun or never allocated is a panic that says so. */
void kfree(void *block);

/* HEAP_OK, or what is wrong with a block (heap.h): what kfree() would panic about. */
int kmalloc_check(const void *block) __attribute__((warn_unused_result));

struct kmalloc_stats kmalloc_stats(void);

#endif
