/*
 * Free pages come from two places: a list of pages that were given back, linked through their own
 * first word, and the fresh memory that was never used. Fresh memory is not touched before it is
 * needed, so booting takes no longer on a large machine, and the host is asked for no more memory
 * than the guest really uses.
 */
#include "common/string.h"
#include "kernel/cpu/cpu.h"
#include "kernel/memory/memory.h"

/* A gigabyte is what the kernel's half has room for; below one megabyte a PC has other things. */
enum { HIGH_MEMORY = 0x100000, LIMIT = 0x40000000 };

struct free_page {
    struct free_page *next;
};

static struct free_page *returned;
static uint32_t fresh = HIGH_MEMORY; /* physical */

uint32_t page_init(uint32_t end)
{
    if (fresh < kernel_physical(image_end))
        fresh = kernel_physical(image_end);
    end = (end < LIMIT ? end : LIMIT) & -PAGE_SIZE;
    if (end <= fresh)
        fault_panic("no memory is left behind the kernel");
    kernel_info.pages_free = kernel_info.pages_total = (end - fresh) / PAGE_SIZE;
    return end;
}

void *page_alloc(void)
{
    void *page = returned;

    if (kernel_info.pages_free == 0)
        return NULL;
    if (page != NULL) {
        returned = returned->next;
    } else {
        page = kernel_virtual(fresh);
        fresh += PAGE_SIZE;
    }
    kernel_info.pages_free--;
    return memset(page, 0, PAGE_SIZE);
}

void page_free(void *page)
{
    struct free_page *free = page;

    if ((uint32_t)page % PAGE_SIZE != 0 || (char *)page < image_end)
        fault_panic("page_free: not a page");
    free->next = returned;
    returned = free;
    kernel_info.pages_free++;
}
