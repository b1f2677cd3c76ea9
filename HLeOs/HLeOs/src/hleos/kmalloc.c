/*
 * Small blocks lie in pages of the direct map. A large block has a slot of the area at HEAP_BASE.
 * That area has a slice for each power of two of pages, which is divided into slots of this size,
 * with a bit for each slot. There is enough address space, so no search for a run of free pages is
 * needed.
 */
#include "kmalloc.h"

#include <stdbool.h>

#include "common/string.h"
#include "cpu/lock.h"
#include "cpu/panic.h"
#include "memory/heap.h"
#include "memory/page.h"
#include "memory/paging.h"
#include "std/bit_map.h"

#define LARGE_MAGIC UINT64_C(0x6c61726765626c6b)
#define SLICE_SIZE  (UINT64_C(1) << 36)

enum { ORDERS = 24, TAIL = 8 };

/* At the beginning of a large block's first page; the block follows. */
struct large {
    uint64_t magic; /* LARGE_MAGIC and the address */
    size_t pages;
} __attribute__((aligned(HEAP_ALIGNMENT)));

static void *page_get(void);
static void page_put(void *page);

static struct lock lock = LOCK_INIT("heap", LOCK_HEAP);
static struct heap heap = {.page_get = page_get, .page_put = page_put}; /* lock */
static struct bit_map slots[ORDERS];                                    /* lock; set: in use */
static size_t next_slot[ORDERS];                                        /* lock */
static size_t large_blocks, large_bytes, bytes_peak;                    /* lock */
static uint64_t allocations, frees, failures;                           /* lock */

static void *page_get(void)
{
    phys_t page = page_allocate();

    return page.at != 0 ? page_virtual(page) : NULL;
}

static void page_put(void *page)
{
    page_free(PHYS((uintptr_t)page - DIRECT_MAP_BASE));
}

static uintptr_t slice(unsigned order)
{
    return HEAP_BASE + order * SLICE_SIZE;
}

/* Allocates the bits of all slices: fewer than two for each page of memory. */
void kmalloc_init(void)
{
    size_t usable = page_stats().usable, words = 0;
    uint64_t *bits = (uint64_t *)HEAP_SLOT_BITS;

    for (unsigned o = 0; o < ORDERS; o++) {
        slots[o] = (struct bit_map){.words = bits + words, .bits = usable >> o};
        if (slots[o].bits > SLICE_SIZE / PAGE_SIZE >> o)
            slots[o].bits = SLICE_SIZE / PAGE_SIZE >> o;
        words += bit_map_words(slots[o].bits);
    }
    paging_prepare(HEAP_BASE, ORDERS * SLICE_SIZE);
    for (uintptr_t at = HEAP_SLOT_BITS; at < (uintptr_t)(bits + words); at += PAGE_SIZE) {
        phys_t page = page_allocate_zeroed();

        if (page.at == 0 || paging_map(at, page, PAGING_WRITE) < 0)
            panic("no memory for the heap's bit maps");
    }
}

/* Takes a slot for 2^order pages; BIT_MAP_NONE if all are in use. */
static size_t take_slot(unsigned order)
{
    uint64_t flags = lock_take(&lock);
    size_t slot = bit_map_find_clear_run(&slots[order], next_slot[order], 1);

    if (slot != BIT_MAP_NONE) {
        bit_map_set(&slots[order], slot);
        next_slot[order] = slot + 1;
    }
    lock_give(&lock, flags);
    return slot;
}

static void give_slot(unsigned order, size_t slot)
{
    uint64_t flags = lock_take(&lock);

    bit_map_clear(&slots[order], slot);
    lock_give(&lock, flags);
}

static void unmap(uintptr_t base, size_t pages)
{
    paging_unmap(base, pages);
    paging_prune(base, pages * PAGE_SIZE);
}

/* Maps page by page; locks are released after each, so that interrupts are served in between. */
static bool map(uintptr_t base, size_t pages)
{
    for (size_t i = 0; i < pages; i++) {
        phys_t page = page_allocate();

        if (page.at != 0 && paging_map(base + i * PAGE_SIZE, page, PAGING_WRITE) == 0)
            continue;
        if (page.at != 0)
            page_free(page);
        unmap(base, i);
        return false;
    }
    return true;
}

static void note_peak_locked(void)
{
    if (heap.bytes_used + large_bytes > bytes_peak)
        bytes_peak = heap.bytes_used + large_bytes;
}

static void *allocate_large(size_t size)
{
    size_t free = page_stats().free, pages, slot;
    unsigned order = 0;
    struct large *large;
    uint64_t flags;

    if (size > free * PAGE_SIZE)
        return NULL;
    pages = (sizeof *large + size + TAIL + PAGE_SIZE - 1) / PAGE_SIZE;
    while ((size_t)1 << order < pages)
        order++;
    if (pages > free || order >= ORDERS || (slot = take_slot(order)) == BIT_MAP_NONE)
        return NULL;
    large = (struct large *)(slice(order) + (slot * PAGE_SIZE << order));
    if (!map((uintptr_t)large, pages)) {
        give_slot(order, slot);
        return NULL;
    }
    *large = (struct large){LARGE_MAGIC ^ (uintptr_t)large, pages};
    heap_mark_end((uint8_t *)(large + 1), size, (uint8_t *)large + pages * PAGE_SIZE);
    flags = lock_take(&lock);
    large_blocks++;
    large_bytes += pages * PAGE_SIZE;
    note_peak_locked();
    lock_give(&lock, flags);
    return large + 1;
}

/* Finds and checks a large block, with the lock held. */
static int examine_locked(uintptr_t block, unsigned *order, size_t *slot)
{
    const struct large *large;
    size_t size;

    *order = (unsigned)((block - HEAP_BASE) / SLICE_SIZE);
    size = (size_t)PAGE_SIZE << *order;
    *slot = (block - slice(*order)) / size;
    if (*slot >= slots[*order].bits)
        return HEAP_FOREIGN;
    if (!bit_map_get(&slots[*order], *slot))
        return HEAP_FREE;
    large = (const struct large *)(slice(*order) + *slot * size);
    if (block != (uintptr_t)(large + 1))
        return HEAP_INSIDE;
    if (large->magic != (LARGE_MAGIC ^ (uintptr_t)large))
        return HEAP_FREE; /* another thread frees it */
    return heap_check_end((const uint8_t *)block,
                          (const uint8_t *)large + large->pages * PAGE_SIZE);
}

static int free_large(uintptr_t block)
{
    struct large *large = (struct large *)block - 1;
    uint64_t flags = lock_take(&lock);
    unsigned order;
    size_t slot, pages = 0;
    int error = examine_locked(block, &order, &slot);

    if (error == HEAP_OK) {
        pages = large->pages;
        large->magic = 0;
        large_blocks--;
        large_bytes -= pages * PAGE_SIZE;
        frees++;
    }
    lock_give(&lock, flags);
    if (error != HEAP_OK)
        return error;
    unmap((uintptr_t)large, pages);
    give_slot(order, slot);
    return HEAP_OK;
}

void *kmalloc(size_t size)
{
    void *block = NULL;
    uint64_t flags;

    if (size > HEAP_SMALL_MAX)
        block = allocate_large(size);
    flags = lock_take(&lock);
    if (size <= HEAP_SMALL_MAX) {
        block = heap_allocate(&heap, size);
        note_peak_locked();
    }
    allocations += block != NULL;
    failures += block == NULL;
    lock_give(&lock, flags);
    return block;
}

static bool is_large(uintptr_t block)
{
    return block >= HEAP_BASE && block < slice(ORDERS);
}

/* Checks first that the page is allocated: another page may not even be mapped. */
static bool is_small(uintptr_t block)
{
    return block >= DIRECT_MAP_BASE && block < HEAP_BASE &&
           page_is_allocated(PHYS((block - DIRECT_MAP_BASE) & ~(uint64_t)(PAGE_SIZE - 1)));
}

void kfree(void *block)
{
    int error = HEAP_FOREIGN;

    if (block == NULL)
        return;
    if (is_large((uintptr_t)block)) {
        error = free_large((uintptr_t)block);
    } else if (is_small((uintptr_t)block)) {
        uint64_t flags = lock_take(&lock);

        error = heap_free(&heap, block);
        frees += error == HEAP_OK;
        lock_give(&lock, flags);
    }
    if (error != HEAP_OK)
        panic("kfree(%p): %s", block, heap_error_text(error));
}

int kmalloc_check(const void *block)
{
    uint64_t flags = lock_take(&lock);
    unsigned order;
    size_t slot;
    int error = is_large((uintptr_t)block)   ? examine_locked((uintptr_t)block, &order, &slot)
                : is_small((uintptr_t)block) ? heap_check(block)
                                             : HEAP_FOREIGN;

    lock_give(&lock, flags);
    return error;
}

struct kmalloc_stats kmalloc_stats(void)
{
    uint64_t flags = lock_take(&lock);
    struct kmalloc_stats stats = {.blocks = heap.blocks + large_blocks,
                                  .bytes_used = heap.bytes_used + large_bytes,
                                  .bytes_peak = bytes_peak,
                                  .bytes_mapped = heap.pages * PAGE_SIZE + large_bytes,
                                  .allocations = allocations,
                                  .frees = frees,
                                  .failures = failures};

    lock_give(&lock, flags);
    return stats;
}
