/*
 * Page tables in both formats of the 32-bit architecture (Intel SDM volume 3, sections 4.3 and
 * 4.4): two levels with 4-byte entries, or, under PAE, three levels with 8-byte entries, which
 * alone have room for the no-execute bit. One description of the format serves both.
 */
#include "kernel/memory/space.h"

#include "common/string.h"
#include "kernel/cpu/fault.h"
#include "kernel/cpu/x86.h"
#include "kernel/memory/boot_info.h"
#include "kernel/memory/image.h"
#include "kernel/memory/page.h"

#define ENTRY_PRESENT    0x1ull
#define ENTRY_WRITE      0x2ull
#define ENTRY_USER       0x4ull
#define ENTRY_NO_EXECUTE (1ull << 63)
#define ENTRY_ADDRESS    0xfffff000ull /* we stay below 4 GB */

enum { CPUID_1_PAE = 1 << 6, CPUID_80000001_NX = 1 << 20 };

struct format {
    const char *name;
    unsigned top_level;  /* 0 is the level whose entries point to pages */
    unsigned index_bits; /* of an address, per level */
    bool wide;           /* 8-byte entries */
    uint64_t top_flags;  /* of top-level entries: those of PAE know no rights (SDM 3, 4.4.1) */
    uint64_t no_execute;
};

static const struct format two_levels = {"two-level paging, read-only code, no NX", 1, 10, false,
                                         ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER,  0};
static const struct format pae = {
    "PAE paging with NX: writable or executable", 2, 9, true, ENTRY_PRESENT, ENTRY_NO_EXECUTE};

static const struct format *format = &two_levels;
static uint32_t kernel_space;

/* switch.S: turns paging off and on again with other tables; runs at its physical address. */
void space_switch(uint32_t space, uint32_t cr4, uint32_t efer);

static uint64_t entry_get(const void *table, unsigned index)
{
    return format->wide ? ((const uint64_t *)table)[index] : ((const uint32_t *)table)[index];
}

static void entry_set(void *table, unsigned index, uint64_t entry)
{
    if (format->wide)
        ((uint64_t *)table)[index] = entry;
    else
        ((uint32_t *)table)[index] = (uint32_t)entry;
}

static void *entry_target(uint64_t entry)
{
    return image_virtual((uint32_t)(entry & ENTRY_ADDRESS));
}

static unsigned index_at(uint32_t address, unsigned level)
{
    return address >> (12 + level * format->index_bits) & ((1u << format->index_bits) - 1);
}

/* Finds the lowest table that covers `address`, making those that are missing if asked to. */
static void *find_table(uint32_t space, uint32_t address, bool create)
{
    void *table = image_virtual(space);

    for (unsigned level = format->top_level; level > 0; level--) {
        unsigned index = index_at(address, level);
        uint64_t entry = entry_get(table, index);

        if (!(entry & ENTRY_PRESENT)) {
            void *next = create ? page_alloc() : NULL;

            if (next == NULL)
                return NULL;
            entry = image_physical(next) |
                    (level == format->top_level ? format->top_flags : two_levels.top_flags);
            entry_set(table, index, entry);
        }
        table = entry_target(entry);
    }
    return table;
}

bool space_map(uint32_t space, uint32_t address, void *page, unsigned rights)
{
    void *table = find_table(space, address, true);
    uint64_t entry = image_physical(page) | ENTRY_PRESENT;

    if (table == NULL)
        return false;
    if (rights & SPACE_WRITE)
        entry |= ENTRY_WRITE;
    if (rights & SPACE_PROGRAM)
        entry |= ENTRY_USER;
    if (!(rights & SPACE_EXECUTE))
        entry |= format->no_execute;
    entry_set(table, index_at(address, 0), entry);
    return true;
}

void *space_find(uint32_t space, uint32_t address, unsigned rights)
{
    uint64_t need = ENTRY_PRESENT | (rights & SPACE_WRITE ? ENTRY_WRITE : 0) |
                    (rights & SPACE_PROGRAM ? ENTRY_USER : 0);
    const void *table = find_table(space, address, false);
    uint64_t entry = table != NULL ? entry_get(table, index_at(address, 0)) : 0;

    return (entry & need) == need ? (char *)entry_target(entry) + address % PAGE_SIZE : NULL;
}

uint32_t space_create(void)
{
    char *top = page_alloc();
    size_t half = index_at(KERNEL_BASE, format->top_level) * (format->wide ? 8u : 4u);

    if (top == NULL)
        return 0;
    memcpy(top + half, (char *)image_virtual(kernel_space) + half, half); /* the kernel's half */
    return image_physical(top);
}

/* Frees what the first `count` entries of a table lead to, and the table. */
static void free_table(void *table, unsigned level, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t entry = entry_get(table, i);

        if (!(entry & ENTRY_PRESENT))
            continue;
        if (level > 0)
            free_table(entry_target(entry), level - 1, 1u << format->index_bits);
        else
            page_free(entry_target(entry));
    }
    page_free(table);
}

void space_destroy(uint32_t space)
{
    free_table(image_virtual(space), format->top_level, index_at(KERNEL_BASE, format->top_level));
}

static void map_kernel(uint32_t begin, uint32_t end, unsigned rights)
{
    for (uint32_t at = begin; at < end; at += PAGE_SIZE)
        if (!space_map(kernel_space, KERNEL_BASE + at, image_virtual(at), rights))
            fault_panic("no memory for the kernel's page tables");
}

/* Code runs and cannot be written, constants do neither, all other memory cannot run. */
static void map_all(void)
{
    map_kernel(image_physical(image_begin), image_physical(rodata_begin), SPACE_EXECUTE);
    map_kernel(image_physical(rodata_begin), image_physical(data_begin), SPACE_READ);
    map_kernel(image_physical(data_begin), image_physical(image_end), SPACE_WRITE);
    for (unsigned i = 0; i < boot_info.regions; i++)
        map_kernel(boot_info.memory[i].begin, boot_info.memory[i].end, SPACE_WRITE);
}

/* For the moment between two sets of tables, the code that switches is mapped at its physical
 * address as well. The page that the loader's tables may have shared with us is not needed. */
static void switch_tables(void)
{
    uint32_t code = image_physical((void *)space_switch) & -PAGE_SIZE;
    void (*low_switch)(uint32_t, uint32_t, uint32_t) =
        (void (*)(uint32_t, uint32_t, uint32_t))image_physical((void *)space_switch);

    for (uint32_t at = code; at <= code + PAGE_SIZE; at += PAGE_SIZE)
        if (!space_map(kernel_space, at, image_virtual(at), SPACE_EXECUTE))
            fault_panic("no memory for the kernel's page tables");
    low_switch(kernel_space, format->wide ? CR4_PAE : 0, format->wide ? EFER_NXE : 0);
    for (uint32_t at = code; at <= code + PAGE_SIZE; at += PAGE_SIZE)
        entry_set(find_table(kernel_space, at, false), index_at(at, 0), 0);
    x86_write_cr3(kernel_space); /* forgets the cached translations */
}

void space_init(void)
{
    void *top = page_alloc();

    if ((x86_cpuid_edx(1) & CPUID_1_PAE) && (x86_cpuid_edx(0x80000001) & CPUID_80000001_NX))
        format = &pae;
    if (top == NULL)
        fault_panic("no memory for the kernel's page tables");
    kernel_space = image_physical(top);
    map_all();
    switch_tables();
}

const char *space_protection(void)
{
    return format->name;
}

uint32_t space_kernel(void)
{
    return kernel_space;
}
