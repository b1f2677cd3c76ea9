/*
 * The machine's free memory in blocks of 2^order pages of 4 KiB, naturally aligned (a buddy
 * allocator). A VM is only created once all it may ever need is set aside in an account, which
 * shrinks as pages are taken on it and grows as they come back: taking a page on a guest's fault
 * cannot fail for lack of memory, unless the guest was cloned or is a clone: copies of shared pages
 * are not set aside.
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

/* Pages set aside and not taken yet; under the allocator's lock. */
struct page_account {
    uint64_t reserved;
};

/* Sets `pages` aside, false if so many are not free; gives all of them back. */
bool page_reserve(struct page_account *account, uint64_t pages) MUST_CHECK;
void page_unreserve(struct page_account *account);

/* Zeroed, or NULL. On no account (NULL) only what is not set aside can be had; on one, also
 * what is set aside there. */
void *page_alloc(struct page_account *account, unsigned order) MUST_CHECK;
/* The same with what was in it left there: the caller overwrites all of it before a guest can
 * look. */
void *page_alloc_raw(struct page_account *account, unsigned order) MUST_CHECK;
/* Gives a block back, to an account or to all. */
void page_free(struct page_account *account, void *block, unsigned order);

/* One more owner of each page of a block: at most PAGE_OWNERS. It is given back by page_drop(),
 * which frees the pages that have no other owner. */
enum { PAGE_OWNERS = 100 };
void page_share(void *block, unsigned order);
void page_drop(struct page_account *account, void *block, unsigned order);
/* How many pages of a block have another owner. */
uint64_t page_shared_count(const void *block, unsigned order);

uint64_t page_free_count(void);
uint64_t page_unreserved_count(void);
uint64_t page_table_bytes(void); /* the bookkeeping */

/* Fills with zeros; `size` a multiple of 64. */
void page_zero(void *block, size_t size);

#endif
