/*
 * Free pages come from two places: a list of pages that were given back, linked through their own
 * first word, and the fresh memory that was never used. Fresh memory is not touched before it is
 * needed, so booting takes no longer on a large machine, and the host is asked for no more memory
 * than the guest really uses.
 */
#include "kernel/memory/page.h"

#include <stddef.h>

#include "common/string.h"
#include "kernel/cpu/fault.h"

/* A gigabyte is what the kernel's half has room for; below one megabyte a PC has other things. */
enum { HIGH_MEMORY = 0x100000, LIMIT = 0x40000000 };

struct free_page {
    struct free_page *next;
};

static struct free_page *returned;
static uint32_t fresh = HIGH_MEMORY, fresh_end; /* physical */
static uint32_t count_free, count_total;

void page_init(uint32_t end)
{
    if (fresh < page_physical(image_end))
        fresh = page_physical(image_end);
    fresh_end = (end < LIMIT ? end : LIMIT) & -PAGE_SIZE;
    if (fresh_end <= fresh)
        fault_panic("no memory is left behind the kernel");
    count_free = count_total = (fresh_end - fresh) / PAGE_SIZE;
}

uint32_t page_end(void)
{
    return fresh_end;
}

void *page_alloc(void)
{
    void *page = returned;

    if (count_free == 0)
        return NULL;
    if (page != NULL) {
        returned = returned->next;
    } else {
        page = page_virtual(fresh);
        fresh += PAGE_SIZE;
    }
    count_free--;
    return memset(page, 0, PAGE_SIZE);
}

void page_free(void *page)
{
    struct free_page *free = page;

    if ((uint32_t)page % PAGE_SIZE != 0 || (char *)page < image_end)
        fault_panic("page_free: not a page");
    free->next = returned;
    returned = free;
    count_free++;
}

uint32_t page_count_total(void)
{
    return count_total;
}

uint32_t page_count_free(void)
{
    return count_free;
}
