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

/* Initialises the allocator for memory from `low` to `high`: called once, then page_give_range()
 * for each free range. `table` has page_table_size() bytes for the bookkeeping (a byte for each
 * page). */
size_t page_table_size(hpa_t low, hpa_t high);
void page_init(hpa_t low, hpa_t high, uint8_t *table);
void page_give_range(hpa_t start, hpa_t end);

/* Pages set aside and not taken yet; under the allocator's lock. */
struct page_account {
    uint64_t reserved;
};

/* Reserve `pages` for an account (false if not enough are free), and release all that it has
 * reserved. */
bool page_reserve(struct page_account *account, uint64_t pages) MUST_CHECK;
void page_unreserve(struct page_account *account);

/* Allocates a zeroed block; NULL: out of memory. Without an account (NULL) it takes only pages that
 * are not reserved; with one, also those reserved there. */
void *page_alloc(struct page_account *account, unsigned order) MUST_CHECK;
/* The same, not zeroed: the caller must overwrite all of it before a guest can read it. */
void *page_alloc_raw(struct page_account *account, unsigned order) MUST_CHECK;
/* Frees a block: to an account's reserve, or to all. */
void page_free(struct page_account *account, void *block, unsigned order);

/* Adds an owner to each page of a block, up to PAGE_OWNERS. page_drop() removes one, and frees the
 * pages that have no other owner. */
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
