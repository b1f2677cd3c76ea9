/*
 * The heap as pure bookkeeping: bitmaps over 16-byte granules. kmalloc.h is the kernel's one heap
 * made of it; the unit tests make theirs of malloc.
 *
 * Two bits a granule: `used`, and `last` for the granule that ends a block, so that a block's size
 * need not be told when it is freed. A block ends in a word that only the heap can have written,
 * and every byte between the block's asked-for size and that word is filled: a write past the end
 * shows.
 */
#ifndef HLEOS_HEAP_H
#define HLEOS_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "std/bit_map.h"

enum { HEAP_GRANULE = 16 };

enum heap_error {
    HEAP_OK = 0,
    HEAP_FOREIGN = -1, /* not an address of this heap, or not where a granule begins */
    HEAP_FREE = -2,    /* freed before */
    HEAP_INSIDE = -3,  /* in the middle of a block */
    HEAP_OVERRUN = -4, /* something wrote past the block's end */
};

struct heap {
    uint8_t *base;
    struct bit_map used, last; /* .bits: granules there now */
    size_t granules_max;
    size_t next; /* next-fit: where the next search begins */
    size_t blocks, granules_used, granules_peak;
    uint64_t allocations, frees, failures;
    /* Makes memory for granules [0, granules) and their bits, zeroed bits; 0, or -1 if it cannot.
     */
    int (*grow)(struct heap *heap, size_t granules);
};

/* A block of at least `size` bytes, 16-byte aligned; NULL if there is no room. */
void *heap_allocate(struct heap *heap, size_t size) __attribute__((warn_unused_result));

/* Frees a block; on any error nothing is changed. */
int heap_free(struct heap *heap, void *block) __attribute__((warn_unused_result));

/* Whether a block is whole: HEAP_OK, or what heap_free() would say. */
int heap_check(const struct heap *heap, const void *block) __attribute__((warn_unused_result));

const char *heap_error_text(int error);

#endif
