/*
 * The allocator of small blocks. Pure: kmalloc.h makes the kernel's heap from it, the unit tests
 * make one from malloc.
 *
 * A page holds blocks of one size class, and a header with one bit a block. So the time of a call
 * does not depend on how many blocks there are, and a page whose last block is freed is returned. A
 * block ends in a check word, and every byte between its requested size and that word has a known
 * value, so that a write past the end is detected.
 *
 *
 */
#ifndef HLEOS_MEMORY_HEAP_H
#define HLEOS_MEMORY_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "std/queue.h"

enum { HEAP_ALIGNMENT = 16, HEAP_PAGE = 4096, HEAP_CLASSES = 13 };

/* The largest size for heap_allocate(). */
enum { HEAP_SMALL_MAX = 2016 - 8 };

enum heap_error {
    HEAP_OK = 0,
    HEAP_FOREIGN = -1, /* not an address of this heap, or of a page that has gone back */
    HEAP_FREE = -2,    /* freed before */
    HEAP_INSIDE = -3,  /* in the middle of a block */
    HEAP_OVERRUN = -4, /* something wrote past the block's end */
};

struct heap {
    struct queue_list partial[HEAP_CLASSES]; /* pages that have room */
    size_t blocks, pages, bytes_used;        /* bytes_used: of whole blocks */
    /* One page, page-aligned, or NULL; and back. */
    void *(*page_get)(void);
    void (*page_put)(void *page);
};

/* A block of at least `size` bytes, at most HEAP_SMALL_MAX, 16-byte aligned; NULL if memory is out.
 */
void *heap_allocate(struct heap *heap, size_t size) __attribute__((warn_unused_result));

/* Frees a block; on any error nothing is changed. The page that `block` lies in must be readable.
 * One page without blocks is kept for each class, so that a single block does not allocate a page
 * each time. */
int heap_free(struct heap *heap, void *block) __attribute__((warn_unused_result));

/* Checks a block: HEAP_OK, or what heap_free() would return. */
int heap_check(const void *block) __attribute__((warn_unused_result));

/* The end of a block of any size: fills [block + size, end - 8) and writes the last word; HEAP_OK
 * or HEAP_OVERRUN. */
void heap_mark_end(uint8_t *block, size_t size, uint8_t *end);
int heap_check_end(const uint8_t *block, const uint8_t *end) __attribute__((warn_unused_result));

const char *heap_error_text(int error);

#endif
