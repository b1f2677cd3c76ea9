/*
 * Page tables: PAE's three levels with entries of 8 bytes (Intel SDM volume 3, section 4.4), or, on
 * a processor without NX, two levels with entries of 4 bytes (section 4.3). An entry is a pointer
 * to its low word, which is the same in both formats; the high word has only the no-execute bit.
 * What differs is in struct page_format (appendix.h).
 */
#include "common/string.h"
#include "common/x86.h"
#include "kernel/appendix.h"
#include "kernel/cpu/cpu.h"
#include "kernel/memory/memory.h"

enum { ENTRY_PRESENT = 1 << 0, ENTRY_NOT_CACHED = 1 << 4, PAGE_SHIFT = 12 };

#define DEVICE_WINDOW 0xfffff000u /* beyond all memory that page_init takes */

static const struct page_format *format;
static uint32_t kernel_space;

/* The table or page that an entry points to, in the kernel's view. */
static void *entry_memory(uint32_t entry)
{
    return kernel_virtual(entry & -PAGE_SIZE);
}

/* Finds the entry that maps `address`, and creates missing tables if `create`. */
static uint32_t *find_entry(uint32_t space, uint32_t address, bool create)
{
    uint32_t *table = kernel_virtual(space), *entry;

    for (unsigned shift = format->top_shift;; shift -= format->index_bits) {
        entry = &table[(address >> shift & ((1u << format->index_bits) - 1)) << format->wide];
        if (shift == PAGE_SHIFT)
            return entry;
        if (!(*entry & ENTRY_PRESENT)) {
            void *next = create ? page_alloc(1) : NULL;

            if (next == NULL)
                return NULL;
            *entry = kernel_physical(next) | ENTRY_PRESENT;
            if (shift != PAE_TOP_SHIFT) /* in the top table these bits are reserved */
                *entry |= SPACE_WRITE | SPACE_PROGRAM;
        }
        table = entry_memory(*entry);
    }
}

static bool map_page(uint32_t space, uint32_t address, const void *page, unsigned rights)
{
    uint32_t *entry = find_entry(space, address, true);

    if (entry == NULL)
        return false;
    *entry = kernel_physical(page) | ENTRY_PRESENT | rights;
    if ((kernel_info.features & SYSTEM_NO_EXECUTE) && !(rights & SPACE_EXECUTE))
        entry[1] = PAGE_NO_EXECUTE;
    return true;
}

void *space_add(uint32_t space, uint32_t address, unsigned rights)
{
    void *page = page_alloc(1);

    if (page == NULL || map_page(space, address, page, rights))
        return page;
    page_free(page, 1);
    return NULL;
}

void *space_find(uint32_t space, uint32_t address, unsigned rights)
{
    const uint32_t *entry = find_entry(space, address, false), need = ENTRY_PRESENT | rights;

    if (entry == NULL || (*entry & need) != need)
        return NULL;
    return (char *)entry_memory(*entry) + address % PAGE_SIZE;
}

uint32_t space_create(void)
{
    void *top = page_alloc(1);

    return top == NULL ? 0 : kernel_physical(memcpy(top, kernel_virtual(kernel_space), PAGE_SIZE));
}

/* Frees the tables and pages of the first `count` entries of a table, and the table. */
static void free_table(uint32_t *table, unsigned shift, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t entry = table[i << format->wide];

        if (!(entry & ENTRY_PRESENT))
            continue;
        if (shift > PAGE_SHIFT)
            free_table(entry_memory(entry), shift - format->index_bits, 1u << format->index_bits);
        else
            page_free(entry_memory(entry), 1);
    }
    page_free(table, 1);
}

void space_destroy(uint32_t space)
{
    if (x86_read_cr3() == space)
        descriptors_set_space(kernel_space);
    free_table(kernel_virtual(space), format->top_shift, KERNEL_BASE >> format->top_shift);
}

static void map_kernel(const char *begin, const char *end, unsigned rights)
{
    for (const char *at = begin; at < end; at += PAGE_SIZE)
        if (!map_page(kernel_space, (uint32_t)at, at, rights))
            fault_panic("no memory for the kernel's page tables");
}

uint32_t space_init(uint32_t memory_end)
{
    void *top = page_alloc(1);

    format = appendix_choose_format();
    if (top == NULL)
        fault_panic("no memory for the kernel's page tables");
    kernel_space = kernel_physical(top);
    /* Code is executable, not writable; constants are neither; the rest is not executable. */
    map_kernel(image_begin, rodata_begin, SPACE_EXECUTE);
    map_kernel(rodata_begin, data_begin, SPACE_READ);
    map_kernel(data_begin, stack_gap, SPACE_WRITE);
    map_kernel(kernel_stack, kernel_virtual(memory_end), SPACE_WRITE);
    appendix_leave_loader_tables(kernel_space);
    /* From now on read-only holds for ring 0 too, and floating point faults. */
    x86_write_cr0((x86_read_cr0() & ~(X86_CR0_TS | X86_CR0_MP)) | X86_CR0_WP | X86_CR0_EM);
    return kernel_space;
}

void *space_map_device(uint32_t physical)
{
    if (!map_page(kernel_space, DEVICE_WINDOW, kernel_virtual(physical & -PAGE_SIZE),
                  SPACE_WRITE | ENTRY_NOT_CACHED))
        fault_panic("no memory for the kernel's page tables");
    x86_write_cr3(kernel_space); /* flushes the old mapping from the TLB */
    return (char *)DEVICE_WINDOW + physical % PAGE_SIZE;
}

bool space_program_has(uint32_t address, uint32_t length, unsigned rights)
{
    if (length == 0)
        return true;
    if (address >= PROGRAM_END || length > PROGRAM_END - address)
        return false;
    for (uint32_t at = address & -PAGE_SIZE; at < address + length; at += PAGE_SIZE)
        if (space_find(x86_read_cr3(), at, rights | SPACE_PROGRAM) == NULL)
            return false;
    return true;
}

bool space_program_has_text(uint32_t address, uint32_t size)
{
    for (uint32_t i = 0; i < size && space_program_has(address + i, 1, SPACE_READ); i++)
        if (*(const char *)(address + i) == '\0')
            return true;
    return false;
}
