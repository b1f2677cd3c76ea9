/*
 * The allocator has an array with a byte for each page, and takes the first run that is long
 * enough. High memory is not touched before it is needed, so the host provides only what the guest
 * uses.
 */
#include "common/string.h"
#include "kernel/cpu/cpu.h"
#include "kernel/memory/memory.h"

/* The kernel's half has room for a gigabyte; below one megabyte a PC has other things. */
enum { HIGH_MEMORY = 0x100000, LIMIT = 0x40000000 };
enum { FREE = 0, IN_USE = 1 };

static uint8_t *page_states; /* lies in the first pages that it describes */
static uint32_t count_all;
static uint32_t first_free; /* no page below it is free */

uint32_t page_init(uint32_t end)
{
    uint32_t begin = kernel_physical(image_end);

    if (begin < HIGH_MEMORY)
        begin = HIGH_MEMORY;
    end = (end < LIMIT ? end : LIMIT) & -PAGE_SIZE;
    if (end <= begin)
        fault_panic("no memory is left behind the kernel");
    page_states = kernel_virtual(begin);
    count_all = (end - begin) / PAGE_SIZE;
    first_free = count_all / PAGE_SIZE + 1;
    memset(page_states, FREE, count_all);
    memset(page_states, IN_USE, first_free);
    kernel_info.pages_free = kernel_info.pages_total = count_all - first_free;
    return end;
}

void *page_alloc(uint32_t count)
{
    uint32_t run = 0, i;

    for (i = first_free; i < count_all && run < count; i++)
        run = page_states[i] == FREE ? run + 1 : 0;
    if (run < count)
        return NULL;
    if (count == 1)
        first_free = i;
    memset(page_states + i - count, IN_USE, count);
    kernel_info.pages_free -= count;
    return memset(page_states + (i - count) * PAGE_SIZE, 0, count * PAGE_SIZE);
}

void page_free(void *pages, uint32_t count)
{
    uint32_t i = (uint32_t)((uint8_t *)pages - page_states) / PAGE_SIZE;

    if ((uint32_t)pages % PAGE_SIZE != 0 || i >= count_all || page_states[i] != IN_USE)
        fault_panic("page_free: not a page in use");
    memset(page_states + i, FREE, count);
    if (i < first_free)
        first_free = i;
    kernel_info.pages_free += count;
}
