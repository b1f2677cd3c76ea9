/* A buddy allocator; see page.h. A free block contains its list links; the table has its order, at
 * its first page. */
#include "mem/page.h"

#include "lib/lock.h"

/* Table entry of each page that is not the first of a free block. For a page in use it is one less
 * for each additional owner. */
enum { USED = 0xff };

struct block {
    struct block *next, *previous;
};

static struct lock lock;
static struct block *heads[PAGE_ORDERS];
static uint8_t *orders; /* for each page: order of the free block that starts there, USED or less */
static hpa_t low_end, high_end;
static uint64_t free_pages, reserved_pages;

static size_t index_of(hpa_t at)
{
    return (at - low_end) / PAGE_4K;
}

static hpa_t size_of(unsigned order)
{
    return (hpa_t)PAGE_4K << order;
}

static void push(hpa_t at, unsigned order)
{
    struct block *b = (struct block *)at;

    *b = (struct block){.next = heads[order]};
    if (b->next != NULL)
        b->next->previous = b;
    heads[order] = b;
    orders[index_of(at)] = (uint8_t)order;
}

static void unlink(struct block *b, unsigned order)
{
    if (b->previous != NULL)
        b->previous->next = b->next;
    else
        heads[order] = b->next;
    if (b->next != NULL)
        b->next->previous = b->previous;
    orders[index_of((hpa_t)b)] = USED;
}

/* Frees the block. Joins it with its buddy as long as that is free and of the same order. */
static void give(hpa_t at, unsigned order)
{
    free_pages += 1ul << order;
    for (; order + 1 < PAGE_ORDERS; order++) {
        hpa_t buddy = at ^ size_of(order);

        if (buddy < low_end || buddy + size_of(order) > high_end ||
            orders[index_of(buddy)] != order)
            break;
        unlink((struct block *)buddy, order);
        at &= ~size_of(order);
    }
    push(at, order);
}

size_t page_table_size(hpa_t low, hpa_t high)
{
    return (high - low) / PAGE_4K;
}

void page_init(hpa_t low, hpa_t high, uint8_t *table)
{
    low_end = low;
    high_end = high;
    orders = table;
    free_pages = reserved_pages = 0;
    for (unsigned i = 0; i < PAGE_ORDERS; i++)
        heads[i] = NULL;
    for (size_t i = 0; i < page_table_size(low, high); i++)
        table[i] = USED;
}

void page_give_range(hpa_t start, hpa_t end)
{
    start = ALIGN_UP(start, PAGE_4K);
    end = ALIGN_DOWN(end, PAGE_4K);
    while (start < end) {
        unsigned order = PAGE_ORDERS - 1;

        while ((start & (size_of(order) - 1)) != 0 || size_of(order) > end - start)
            order--;
        give(start, order);
        start += size_of(order);
    }
}

bool page_reserve(struct page_account *account, uint64_t pages)
{
    bool enough;

    lock_take(&lock);
    enough = pages <= free_pages && reserved_pages <= free_pages - pages;
    if (enough) {
        reserved_pages += pages;
        account->reserved += pages;
    }
    lock_drop(&lock);
    return enough;
}

void page_unreserve(struct page_account *account)
{
    lock_take(&lock);
    reserved_pages -= account->reserved;
    account->reserved = 0;
    lock_drop(&lock);
}

static void *take(unsigned order)
{
    unsigned found = order;
    struct block *b;

    while (found < PAGE_ORDERS && heads[found] == NULL)
        found++;
    if (found == PAGE_ORDERS)
        return NULL;
    b = heads[found];
    unlink(b, found);
    while (found > order) {
        found--;
        push((hpa_t)b + size_of(found), found);
    }
    free_pages -= 1ul << order;
    return b;
}

void *page_alloc_raw(struct page_account *account, unsigned order)
{
    uint64_t pages = 1ul << order, own = 0;
    void *block = NULL;

    lock_take(&lock);
    if (account != NULL)
        own = min64(account->reserved, pages);
    if (free_pages - reserved_pages >= pages - own)
        block = take(order);
    if (block != NULL && own > 0) {
        account->reserved -= own;
        reserved_pages -= own;
    }
    lock_drop(&lock);
    return block;
}

void *page_alloc(struct page_account *account, unsigned order)
{
    void *block = page_alloc_raw(account, order);

    if (block != NULL)
        page_zero(block, size_of(order));
    return block;
}

void page_free(struct page_account *account, void *block, unsigned order)
{
    if (block == NULL)
        return;
    lock_take(&lock);
    give((hpa_t)block, order);
    if (account != NULL) {
        account->reserved += 1ul << order;
        reserved_pages += 1ul << order;
    }
    lock_drop(&lock);
}

/* ---- Pages with several owners ---- */

void page_share(void *block, unsigned order)
{
    LOCK_FOR_BLOCK(&lock);

    for (size_t i = index_of((hpa_t)block), end = i + (1ul << order); i < end; i++)
        orders[i]--;
}

/* The number of pages in the block that have other owners. The lock is held, so that no owner is
 * added meanwhile. */
static uint64_t shared_count(hpa_t block, unsigned order)
{
    uint64_t count = 0;

    for (size_t i = index_of(block), end = i + (1ul << order); i < end; i++)
        count += orders[i] != USED;
    return count;
}

void page_drop(struct page_account *account, void *block, unsigned order)
{
    hpa_t at = (hpa_t)block;
    uint64_t shared;
    LOCK_FOR_BLOCK(&lock);

    shared = shared_count(at, order);
    if (account != NULL) {
        account->reserved += (1ul << order) - shared;
        reserved_pages += (1ul << order) - shared;
    }
    if (shared == 0) {
        give(at, order);
        return;
    }
    for (hpa_t end = at + size_of(order); at < end; at += PAGE_4K) {
        uint8_t *entry = &orders[index_of(at)];

        if (*entry == USED)
            give(at, ORDER_4K);
        else
            ++*entry;
    }
}

uint64_t page_shared_count(const void *block, unsigned order)
{
    LOCK_FOR_BLOCK(&lock);

    return shared_count((hpa_t)block, order);
}

uint64_t page_free_count(void)
{
    return free_pages;
}

uint64_t page_table_bytes(void)
{
    return page_table_size(low_end, high_end);
}

uint64_t page_unreserved_count(void)
{
    return free_pages > reserved_pages ? free_pages - reserved_pages : 0;
}

/* Eight words in each turn of the loop: a guest's boot clears tens of megabytes this way. */
void page_zero(void *block, size_t size)
{
    uint64_t *at = block, *end = at + size / 8;

    for (; at < end; at += 8)
        at[0] = at[1] = at[2] = at[3] = at[4] = at[5] = at[6] = at[7] = 0;
}
