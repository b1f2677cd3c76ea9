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
#include "kernel/memory/boot_info.h"
#include "kernel/memory/image.h"

struct free_page {
    struct free_page *next;
};

static struct free_page *returned;
static struct boot_region fresh[BOOT_REGIONS];
static uint32_t count_free, count_total;

void page_init(void)
{
    for (unsigned i = 0; i < boot_info.regions; i++) {
        fresh[i] = boot_info.memory[i];
        count_total += (fresh[i].end - fresh[i].begin) / PAGE_SIZE;
    }
    count_free = count_total;
}

static void *take_fresh(void)
{
    for (unsigned i = 0; i < BOOT_REGIONS; i++) {
        if (fresh[i].begin < fresh[i].end) {
            void *page = image_virtual(fresh[i].begin);

            fresh[i].begin += PAGE_SIZE;
            return page;
        }
    }
    return NULL;
}

void *page_alloc(void)
{
    void *page = returned;

    if (page != NULL)
        returned = returned->next;
    else
        page = take_fresh();
    if (page == NULL)
        return NULL;
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
