/*
 * The machine's free memory in blocks of 2^order pages of 4 KiB, naturally aligned (a buddy
 * allocator). Blocks are reserved before they are taken: a VM is only created once all it may ever
 * need is set aside, so that taking a page on a guest's fault cannot fail for lack of memory.
 */
#ifndef MEM_PAGE_H
#define MEM_PAGE_H

#include "lib/types.h"

enum { PAGE_ORDERS = 19 }; /* up to 1 GiB */
enum { ORDER_4K = 0, ORDER_16K = 2, ORDER_2M = 9, ORDER_1G = 18 };

/* Takes over [start, start + size) of a machine with one memory range from `low` to `high`: called
 * once, then page_give_range() for what is free. The bookkeeping (a byte a page) comes out of
 * `table`, page_table_size() bytes. */
size_t page_table_size(hpa_t low, hpa_t high);
void page_init(hpa_t low, hpa_t high, uint8_t *table);
void page_give_range(hpa_t start, hpa_t end);

/* Sets `pages` aside, false if so many are not free; and gives them back. */
bool page_reserve(uint64_t pages) MUST_CHECK;
void page_unreserve(uint64_t pages);

/* Zeroed, or NULL. */
void *page_alloc(unsigned order) MUST_CHECK;
/* The same with what was in it left there: for who overwrites all of it before a guest can look. */
void *page_alloc_raw(unsigned order) MUST_CHECK;
void page_free(void *block, unsigned order);

uint64_t page_free_count(void);
uint64_t page_unreserved_count(void);
uint64_t page_table_bytes(void); /* the bookkeeping */

/* Fills with zeros; `size` a multiple of 64. */
void page_zero(void *block, size_t size);

#endif
