/*
 * The kernel's heap. Blocks of up to 2 KB come from pages of equal blocks (memory/heap.h), larger
 * ones are whole pages of their own, mapped side by side. Safe in interrupts. Interrupts are off
 * for a bounded time only, whatever the size; a large block is refused at once if there are fewer
 * free pages than it needs. All pages of freed blocks go back, but for one a size.
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

/* A block of at least `size` bytes, 16-byte aligned, contents unknown; NULL if memory is out. */
void *kmalloc(size_t size) __attribute__((warn_unused_result));
/* NULL is allowed. A block freed twice, overrun or never allocated is a panic that says so. */
void kfree(void *block);

/* HEAP_OK, or what is wrong with a block (memory/heap.h): what kfree() would panic about. */
int kmalloc_check(const void *block) __attribute__((warn_unused_result));

struct kmalloc_stats kmalloc_stats(void);

#endif
