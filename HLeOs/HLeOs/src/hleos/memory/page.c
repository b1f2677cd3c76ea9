/*
 * The physical page allocator; see page.h. Two bitmaps have a bit for each page. In the first it is
 * set if the page is allocated, reserved or missing; in the second if the page belongs to the
 * allocator. An array counts a page's users beyond the first. The maps are allocated first, below 4
 * GB.
 */
#include "memory/page.h"

#include "common/range.h"
#include "common/string.h"
#include "cpu/lock.h"
#include "cpu/panic.h"
#include "std/bit_map.h"

#define ONE_MB     UINT64_C(0x100000)
#define FOUR_GB    UINT64_C(0x100000000)
#define MEMORY_END UINT64_C(0x400000000000) /* 64 TB: the size of the direct map */

static struct lock lock = LOCK_INIT("page", LOCK_PAGE);
static struct bit_map map;  /* lock; set: allocated, reserved or missing */
static struct bit_map ours; /* set at boot only: pages that page_allocate() may give */
static uint16_t *sharers;   /* lock; for an allocated page: its users beyond the first */
static size_t free_pages;   /* lock */
static size_t hint;         /* lock; start of the next search */
static struct page_stats stats;
static uintptr_t direct_base; /* 0: the loader's identity map */

void *page_virtual(phys_t address)
{
    return (void *)(direct_base + address.at);
}

void page_use_direct_map(void)
{
    direct_base = DIRECT_MAP_BASE;
    map.words = (uint64_t *)((uintptr_t)map.words + direct_base);
    ours.words = (uint64_t *)((uintptr_t)ours.words + direct_base);
    sharers = (uint16_t *)((uintptr_t)sharers + direct_base);
}

bool page_range(const struct boot_info *info, unsigned index, uint64_t *base, uint64_t *end)
{
    const struct boot_memory *m;

    if (index >= info->memory_count || index >= BOOT_MEMORY_MAX)
        return false;
    m = &info->memory[index];
    *base = *end = 0;
    if (m->type != BOOT_MEMORY_USABLE || m->base >= MEMORY_END)
        return true;
    *end = m->length > MEMORY_END - m->base ? MEMORY_END : m->base + m->length;
    *end &= ~(uint64_t)(PAGE_SIZE - 1);
    *base = (m->base + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
    if (*base == 0) /* page 0 is not used: address 0 means "none" */
        *base = PAGE_SIZE;
    if (*base > *end)
        *base = *end;
    return true;
}

/* Marks [base, end) as taken or free, as far as the map reaches. */
static void mark(uint64_t base, uint64_t end, bool taken)
{
    if (end > map.bits * PAGE_SIZE)
        end = map.bits * PAGE_SIZE;
    if (base >= end)
        return;
    if (taken)
        bit_map_set_run(&map, base / PAGE_SIZE, (end - base) / PAGE_SIZE);
    else
        bit_map_clear_run(&map, base / PAGE_SIZE, (end - base) / PAGE_SIZE);
}

static void mark_kernel(const struct boot_info *info)
{
    mark(info->kernel_base & ~(uint64_t)(PAGE_SIZE - 1),
         (info->kernel_base + info->kernel_size + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1),
         true);
}

/* Finds a place for `size` bytes between 1 MB and 4 GB. */
static uint64_t place(const struct boot_info *info, uint64_t size)
{
    uint64_t base, end;

    for (unsigned i = 0; page_range(info, i, &base, &end); i++) {
        base = range_beyond(base < ONE_MB ? ONE_MB : base, size, info->kernel_base,
                            info->kernel_base + info->kernel_size, PAGE_SIZE);
        if (end > FOUR_GB)
            end = FOUR_GB;
        if (base < end && size <= end - base)
            return base;
    }
    panic("no %lu KB in one piece for the map of pages", size >> 10);
}

/* Counts the free pages, and marks them as the allocator's. */
static void count_free(void)
{
    free_pages = map.bits - bit_map_count_set(&map);
    for (size_t i = 0; i < bit_map_words(map.bits); i++)
        ours.words[i] |= ~map.words[i];
}

void page_init(const struct boot_info *info)
{
    uint64_t base, end, bytes;

    for (unsigned i = 0; page_range(info, i, &base, &end); i++)
        if (end > base && end > stats.top)
            stats.top = end;
    map.bits = ours.bits = stats.top / PAGE_SIZE;
    bytes = bit_map_words(map.bits) * sizeof(uint64_t);
    map.words = page_virtual(PHYS(place(info, 2 * bytes + map.bits * sizeof *sharers)));
    ours.words = map.words + bit_map_words(map.bits);
    sharers = (uint16_t *)(ours.words + bit_map_words(map.bits)); /* set as pages are allocated */
    memset(map.words, 0xff, bytes);
    memset(ours.words, 0, bytes);
    bytes = 2 * bytes + map.bits * sizeof *sharers;
    for (unsigned i = 0; page_range(info, i, &base, &end); i++)
        mark(base, end, false);
    mark_kernel(info);
    stats.usable = map.bits - bit_map_count_set(&map);
    mark(0, ONE_MB, true);
    mark((uintptr_t)map.words, ((uintptr_t)map.words + bytes + PAGE_SIZE - 1) & ~UINT64_C(0xfff),
         true);
    count_free();
}

void page_release_low(const struct boot_info *info)
{
    uint64_t base, end, flags = lock_take(&lock);

    for (unsigned i = 0; page_range(info, i, &base, &end); i++)
        mark(base, end < ONE_MB ? end : ONE_MB, false);
    mark_kernel(info);
    count_free();
    lock_give(&lock, flags);
}

static void take_locked(size_t at)
{
    bit_map_set(&map, at);
    sharers[at] = 0;
    free_pages--;
}

phys_t page_allocate(void)
{
    uint64_t flags = lock_take(&lock);
    size_t at = bit_map_next_clear(&map, hint, map.bits);

    if (at == map.bits)
        at = bit_map_next_clear(&map, 0, hint);
    if (at == map.bits || bit_map_get(&map, at)) {
        lock_give(&lock, flags);
        return PHYS(0);
    }
    take_locked(at);
    hint = at + 1;
    lock_give(&lock, flags);
    return PHYS(at * PAGE_SIZE);
}

phys_t page_allocate_below(uint64_t limit)
{
    uint64_t flags = lock_take(&lock);
    size_t end = limit / PAGE_SIZE < map.bits ? limit / PAGE_SIZE : map.bits;
    size_t at = bit_map_next_clear(&map, 0, end);

    if (at < end)
        take_locked(at);
    lock_give(&lock, flags);
    return PHYS(at < end ? at * PAGE_SIZE : 0);
}

phys_t page_allocate_zeroed(void)
{
    phys_t page = page_allocate();

    if (page.at != 0)
        memset(page_virtual(page), 0, PAGE_SIZE);
    return page;
}

/* Takes no lock: either the page belongs to the caller, or both answers are acceptable. */
bool page_is_allocated(phys_t page)
{
    size_t at = page.at / PAGE_SIZE;

    return page.at % PAGE_SIZE == 0 && at < map.bits && bit_map_get(&ours, at) &&
           bit_map_get(&map, at);
}

void page_free(phys_t page)
{
    uint64_t flags = lock_take(&lock);
    size_t at = page.at / PAGE_SIZE;

    if (!page_is_allocated(page))
        panic("page %#lx is freed but was not allocated", page.at);
    if (sharers[at] > 0) {
        sharers[at]--;
    } else {
        bit_map_clear(&map, at);
        free_pages++;
    }
    lock_give(&lock, flags);
}

bool page_share(phys_t page)
{
    uint64_t flags = lock_take(&lock);
    size_t at = page.at / PAGE_SIZE;
    bool room;

    if (!page_is_allocated(page))
        panic("page %#lx is shared but was not allocated", page.at);
    room = sharers[at] < UINT16_MAX;
    sharers[at] += room;
    lock_give(&lock, flags);
    return room;
}

bool page_is_shared(phys_t page)
{
    uint64_t flags = lock_take(&lock);
    bool shared = sharers[page.at / PAGE_SIZE] > 0;

    lock_give(&lock, flags);
    return shared;
}

struct page_stats page_stats(void)
{
    uint64_t flags = lock_take(&lock);
    struct page_stats now = stats;

    now.free = free_pages;
    lock_give(&lock, flags);
    return now;
}
