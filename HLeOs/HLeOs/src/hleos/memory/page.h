/* Physical memory, page by page: one bit a page, from the loader's map. Safe in interrupts. */
#ifndef HLEOS_MEMORY_PAGE_H
#define HLEOS_MEMORY_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "abi/boot_info.h"
#include "memory/address.h"
#include "memory/layout.h"

struct page_stats {
    size_t usable; /* pages that the map calls usable and whole */
    size_t free;
    uint64_t top; /* the end of the highest usable page */
};

/* Initialises from the map in `info`, which is normalised (std/memory_map.h); needs the loader's
 * identity map. The first megabyte, which may hold the loader's page tables, is not used until
 * page_release_low(). */
void page_init(const struct boot_info *info);
void page_release_low(const struct boot_info *info);

/* Allocates a page, not zeroed; .at == 0: out of memory. */
phys_t page_allocate(void) __attribute__((warn_unused_result));
/* The same, zeroed. */
phys_t page_allocate_zeroed(void) __attribute__((warn_unused_result));
/* Allocates one below `limit`, for devices that cannot address more. */
phys_t page_allocate_below(uint64_t limit) __attribute__((warn_unused_result));
/* Panics if page_is_allocated() is false: it was freed twice or never allocated. */
void page_free(phys_t page);
bool page_is_allocated(phys_t page);
/* Adds a user to an allocated page, which then needs one more page_free(). False if it has too
 * many. */
bool page_share(phys_t page) __attribute__((warn_unused_result));
bool page_is_shared(phys_t page);

/* Where a physical address can be read and written: through the identity map at first, through the
 * direct map after page_use_direct_map(). Usable memory only. */
void *page_virtual(phys_t address);
void page_use_direct_map(void);

/* The `index`th range of whole usable pages, clipped to what this kernel can address; false when
 * there are no more. Ranges may be empty. */
bool page_range(const struct boot_info *info, unsigned index, uint64_t *base, uint64_t *end);

struct page_stats page_stats(void);

#endif
