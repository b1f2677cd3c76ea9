/* The kernel's heap grows page by page at HEAP_BASE, with its bits at three places of their own. */
#include "kmalloc.h"

#include "common/string.h"
#include "heap.h"
#include "lock.h"
#include "memory/page.h"
#include "memory/paging.h"
#include "panic.h"

static int grow(struct heap *heap, size_t granules);

static struct lock lock = LOCK_INIT("heap");
static struct heap heap = {
    .base = (uint8_t *)HEAP_BASE,
    .used = {.words = (uint64_t *)HEAP_USED_BITS, .full = (uint64_t *)HEAP_FULL_BITS},
    .last = {.words = (uint64_t *)HEAP_LAST_BITS},
    .grow = grow}; /* lock */

/* Maps zeroed pages where there are none yet in [from, to); pages of an earlier try that failed
 * midway are found and kept. */
static int map_range(uintptr_t from, uintptr_t to)
{
    for (uintptr_t at = from & ~(uintptr_t)(PAGE_SIZE - 1); at < to; at += PAGE_SIZE) {
        phys_t page;

        if (paging_is_mapped(at))
            continue;
        page = page_allocate_zeroed();
        if (page.at == 0)
            return -1;
        if (paging_map(at, page, PAGING_WRITE) < 0) {
            page_free(page);
            return -1;
        }
    }
    return 0;
}

static int grow(struct heap *h, size_t granules)
{
    size_t words = bit_map_words(granules), bytes = words * sizeof(uint64_t);
    uintptr_t end = HEAP_BASE + h->used.bits * HEAP_GRANULE;

    if (map_range(HEAP_USED_BITS, HEAP_USED_BITS + bytes) < 0 ||
        map_range(HEAP_LAST_BITS, HEAP_LAST_BITS + bytes) < 0 ||
        map_range(HEAP_FULL_BITS, HEAP_FULL_BITS + bit_map_words(words) * sizeof(uint64_t)) < 0)
        return -1;
    return map_range(end, HEAP_BASE + granules * HEAP_GRANULE);
}

void kmalloc_init(void)
{
    heap.granules_max = page_stats().usable * (PAGE_SIZE / HEAP_GRANULE);
}

void *kmalloc(size_t size)
{
    uint64_t flags = lock_take(&lock);
    void *block = heap_allocate(&heap, size);

    lock_give(&lock, flags);
    return block;
}

void kfree(void *block)
{
    uint64_t flags;
    int error;

    if (block == NULL)
        return;
    flags = lock_take(&lock);
    error = heap_free(&heap, block);
    lock_give(&lock, flags);
    if (error != HEAP_OK)
        panic("kfree(%p): %s", block, heap_error_text(error));
}

int kmalloc_check(const void *block)
{
    uint64_t flags = lock_take(&lock);
    int error = heap_check(&heap, block);

    lock_give(&lock, flags);
    return error;
}

struct kmalloc_stats kmalloc_stats(void)
{
    uint64_t flags = lock_take(&lock);
    struct kmalloc_stats stats = {.blocks = heap.blocks,
                                  .bytes_used = heap.granules_used * HEAP_GRANULE,
                                  .bytes_peak = heap.granules_peak * HEAP_GRANULE,
                                  .bytes_mapped = heap.used.bits * HEAP_GRANULE,
                                  .allocations = heap.allocations,
                                  .frees = heap.frees,
                                  .failures = heap.failures};

    lock_give(&lock, flags);
    return stats;
}
