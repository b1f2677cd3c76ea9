/*
 * The kernel's heap. Blocks of up to 2 KB come from pages of equal blocks (memory/heap.h), larger
 * ones are whole pages, mapped at consecutive addresses. Safe in interrupts. Interrupts are off
 * only for a bounded time, for any size; a large block is refused at once if there are fewer free
 * pages than it needs. All pages of freed blocks are freed, except one for each size.
 */
#ifndef HLEOS_KMALLOC_H
#define HLEOS_KMALLOC_H

#include <stddef.h>
#include <stdint.h>

struct kmalloc_stats {
    size_t blocks, bytes_used, bytes_peak, bytes_mapped;
    uint64_t allocations, frees, failures;
};

void kmalloc_init(void);

/* A block of at least `size` bytes, 16-byte aligned, not zeroed; NULL: out of memory. */
void *kmalloc(size_t size) __attribute__((warn_unused_result));
/* NULL is allowed. Panics, with the reason, if the block was freed twice, overrun or never
 * allocated. */
void kfree(void *block);

/* HEAP_OK, or what is wrong with a block (memory/heap.h): what kfree() would panic about. */
int kmalloc_check(const void *block) __attribute__((warn_unused_result));

struct kmalloc_stats kmalloc_stats(void);

#endif
