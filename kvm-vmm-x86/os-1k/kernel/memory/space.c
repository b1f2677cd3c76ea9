/*
 * Page tables under PAE: three levels with 8-byte entries, of which bit 63 forbids execution where
 * the processor knows NX (Intel SDM volume 3, section 4.4). The top table has four entries, each
 * for a gigabyte: the program's, nothing, the kernel's memory, the kernel's files.
 */
#include "kernel/memory/space.h"

#include "common/string.h"
#include "include/system.h"
#include "kernel/cpu/fault.h"
#include "kernel/cpu/x86.h"
#include "kernel/memory/page.h"

#define ENTRY_PRESENT    0x1ull
#define ENTRY_WRITE      0x2ull
#define ENTRY_USER       0x4ull
#define ENTRY_NO_EXECUTE (1ull << 63)
#define ENTRY_ADDRESS    0xfffff000ull /* we stay below 4 GB */

enum { CPUID_1_PAE = 1 << 6, CPUID_80000001_NX = 1 << 20 };
enum { TOP_SHIFT = 30, LEVEL_BITS = 9, TABLE_ENTRIES = 512 };

static uint32_t kernel_space;
static uint64_t no_execute; /* the bit, where there is one */

static void *target(uint64_t entry)
{
    return page_virtual((uint32_t)(entry & ENTRY_ADDRESS));
}

/* Finds the entry that maps `address`, making the tables that are missing if asked to. */
static uint64_t *find_entry(uint32_t space, uint32_t address, bool create)
{
    uint64_t *table = page_virtual(space);

    for (unsigned shift = TOP_SHIFT; shift > 12; shift -= LEVEL_BITS) {
        uint64_t *entry = &table[address >> shift & (TABLE_ENTRIES - 1)];

        if (!(*entry & ENTRY_PRESENT)) {
            void *next = create ? page_alloc() : NULL;

            if (next == NULL)
                return NULL;
            *entry = page_physical(next) | ENTRY_PRESENT;
            if (shift != TOP_SHIFT) /* where these bits are reserved */
                *entry |= ENTRY_WRITE | ENTRY_USER;
        }
        table = target(*entry);
    }
    return &table[address >> 12 & (TABLE_ENTRIES - 1)];
}

static bool map(uint32_t space, uint32_t address, const void *page, unsigned rights)
{
    uint64_t *entry = find_entry(space, address, true);

    if (entry == NULL)
        return false;
    *entry = page_physical(page) | ENTRY_PRESENT | (rights & SPACE_WRITE ? ENTRY_WRITE : 0) |
             (rights & SPACE_PROGRAM ? ENTRY_USER : 0) | (rights & SPACE_EXECUTE ? 0 : no_execute);
    return true;
}

void *space_add(uint32_t space, uint32_t address, unsigned rights)
{
    void *page = page_alloc();

    if (page == NULL || map(space, address, page, rights))
        return page;
    page_free(page);
    return NULL;
}

void space_remove(uint32_t address)
{
    uint64_t *entry = find_entry(kernel_space, address, false);

    page_free(target(*entry));
    *entry = 0;
    x86_invalidate_page(address);
}

void *space_find(uint32_t space, uint32_t address, unsigned rights)
{
    uint64_t need = ENTRY_PRESENT | (rights & SPACE_WRITE ? ENTRY_WRITE : 0) |
                    (rights & SPACE_PROGRAM ? ENTRY_USER : 0);
    const uint64_t *entry = find_entry(space, address, false);

    return entry != NULL && (*entry & need) == need ? (char *)target(*entry) + address % PAGE_SIZE
                                                    : NULL;
}

uint32_t space_create(void)
{
    uint64_t *top = page_alloc();
    const uint64_t *kernel = page_virtual(kernel_space);

    if (top == NULL)
        return 0;
    for (unsigned i = KERNEL_BASE >> TOP_SHIFT; i < 4; i++)
        top[i] = kernel[i];
    return page_physical(top);
}

/* Frees what the first `count` entries of a table lead to, and the table. */
static void free_table(uint64_t *table, unsigned shift, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!(table[i] & ENTRY_PRESENT))
            continue;
        if (shift > 12)
            free_table(target(table[i]), shift - LEVEL_BITS, TABLE_ENTRIES);
        else
            page_free(target(table[i]));
    }
    page_free(table);
}

void space_destroy(uint32_t space)
{
    if (x86_read_cr3() == space)
        x86_write_cr3(kernel_space);
    free_table(page_virtual(space), TOP_SHIFT, KERNEL_BASE >> TOP_SHIFT);
}

static void map_kernel(const char *begin, const char *end, unsigned rights)
{
    for (const char *at = begin; at < end; at += PAGE_SIZE)
        if (!map(kernel_space, (uint32_t)at, at, rights))
            fault_panic("no memory for the kernel's page tables");
}

/*
 * Turns PAE on while paging is on (SDM 3, 4.1.2). The two formats meet in the top table: PAE reads
 * its first 32 bytes, the loader's format for our addresses its upper half; so both show the same
 * memory at the moment of change.
 */
static void switch_tables(void)
{
    const uint32_t half = PAGE_SIZE / 2;
    char *top = page_virtual(kernel_space);

    memcpy(top + half, (char *)page_virtual(x86_read_cr3() & -PAGE_SIZE) + half, half);
    x86_write_cr3(kernel_space);
    x86_write_cr4(x86_read_cr4() | CR4_PAE);
    memset(top + half, 0, half);
}

void space_init(void)
{
    void *top = page_alloc();

    if (!(x86_cpuid_edx(1) & CPUID_1_PAE))
        fault_panic("this processor has no PAE");
    if (x86_cpuid_edx(0x80000001) & CPUID_80000001_NX) {
        no_execute = ENTRY_NO_EXECUTE;
        x86_write_msr(MSR_EFER, EFER_NXE);
    }
    if (top == NULL)
        fault_panic("no memory for the kernel's page tables");
    kernel_space = page_physical(top);
    /* Code runs and cannot be written, constants do neither, all other memory cannot run; below the
     * stack is a gap. The tables of files are made now, as every space shares them. */
    map_kernel(image_begin, rodata_begin, SPACE_EXECUTE);
    map_kernel(rodata_begin, data_begin, SPACE_READ);
    map_kernel(data_begin, stack_gap, SPACE_WRITE);
    map_kernel(kernel_stack, page_virtual(page_end()), SPACE_WRITE);
    if (find_entry(kernel_space, FILE_BASE, true) == NULL)
        fault_panic("no memory for the kernel's page tables");
    switch_tables();
    /* Read-only holds for ring 0 too, and floating point faults. */
    x86_write_cr0((x86_read_cr0() & ~(CR0_TS | CR0_MP)) | CR0_WP | CR0_EM);
}

bool space_has_no_execute(void)
{
    return no_execute != 0;
}

uint32_t space_kernel(void)
{
    return kernel_space;
}

void *space_program_memory(uint32_t address, uint32_t length, unsigned rights)
{
    if (address >= PROGRAM_END || length > PROGRAM_END - address)
        return NULL;
    for (uint32_t at = address & -PAGE_SIZE; at < address + length; at += PAGE_SIZE)
        if (space_find(x86_read_cr3(), at, rights | SPACE_PROGRAM) == NULL)
            return NULL;
    return (void *)address;
}

int space_program_text(uint32_t address, char *text, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        const char *c = space_program_memory(address + i, 1, SPACE_READ);

        if (c == NULL)
            return ERROR_BAD_ADDRESS;
        text[i] = *c;
        if (text[i] == '\0')
            return 0;
    }
    return ERROR_BAD_ARGUMENT;
}
