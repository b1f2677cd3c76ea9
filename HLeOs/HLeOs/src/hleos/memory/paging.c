/* The kernel's page tables; see paging.h, and layout.h for the addresses. */
#include "memory/paging.h"

#include "common/x86.h"
#include "cpu/flush.h"
#include "cpu/lock.h"
#include "cpu/panic.h"
#include "memory/page.h"

#define LARGE_PAGE UINT64_C(0x200000)
#define HALF       0xffff800000000000
/* Global TLB entries would stay after a change of tables. */
#define GLOBAL (HLEOS_KPTI ? 0 : PAGING_GLOBAL)

enum { ENTRIES = 512, LEVELS = 4, UNMAP_AT_ONCE = 64 };

extern char kernel_start[], text_end[], rodata_start[], data_start[], kernel_end[];
extern char boot_stack_guard[], shared_start[], shared_end[];

static struct lock lock = LOCK_INIT("paging", LOCK_PAGING);
static phys_t root;           /* lock: the tables under it */
static phys_t program_root;   /* lock; with KPTI=1: the upper half while programs run */
static uintptr_t next_device; /* lock */
static uint64_t no_execute;   /* PAGING_NO_EXECUTE where the processor has it */

static unsigned index_at(uintptr_t address, int level)
{
    return address >> (12 + 9 * level) & (ENTRIES - 1);
}

/* The entry for `address` in the table of `level` (3: the root, 0: pages; 1 for a large page). With
 * `make`, missing tables above it are made. NULL if they are missing, or if a large page is mapped
 * there. */
static uint64_t *find_under(phys_t top, uintptr_t address, int level, bool make)
{
    uint64_t *table = page_virtual(top);

    for (int l = LEVELS - 1; l > level; l--) {
        uint64_t *entry = &table[index_at(address, l)];

        if (*entry & PAGING_LARGE)
            return NULL;
        if (!(*entry & PAGING_PRESENT)) {
            phys_t page = make ? page_allocate_zeroed() : PHYS(0);

            if (page.at == 0)
                return NULL;
            *entry = page.at | PAGING_PRESENT | PAGING_WRITE;
        }
        table = page_virtual(PHYS(*entry & PAGING_ADDRESS));
    }
    return &table[index_at(address, level)];
}

static uint64_t *find(uintptr_t address, int level, bool make)
{
    return find_under(root, address, level, make);
}

/* Used at boot: panics if memory is out. */
static void map_first(uintptr_t address, uint64_t physical, uint64_t flags, int level)
{
    uint64_t *entry = find(address, level, true);

    if (entry == NULL)
        panic("no memory for the kernel's page tables");
    *entry = physical | flags | PAGING_PRESENT | GLOBAL | (level > 0 ? PAGING_LARGE : 0);
}

void paging_prepare(uintptr_t base, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += UINT64_C(1) << 39)
        if (find(base + at, LEVELS - 2, true) == NULL)
            panic("no memory for the kernel's page tables");
}

static void map_image_part(const struct boot_info *info, char *from, char *to, uint64_t flags)
{
    for (uintptr_t at = (uintptr_t)from; at < (uintptr_t)to; at += PAGE_SIZE)
        if (at != (uintptr_t)boot_stack_guard)
            map_first(at, info->kernel_base + (at - (uintptr_t)kernel_start), flags, 0);
}

static void map_direct(uint64_t base, uint64_t end)
{
    uint64_t flags = PAGING_WRITE | no_execute;

    while (base < end) {
        bool large = base % LARGE_PAGE == 0 && end - base >= LARGE_PAGE;

        map_first(DIRECT_MAP_BASE + base, base, flags, large ? 1 : 0);
        base += large ? LARGE_PAGE : PAGE_SIZE;
    }
}

/* Maps all usable memory except the kernel's own: its text must not be writable at a second
 * address. */
static void map_memory(const struct boot_info *info)
{
    uint64_t kernel = info->kernel_base, base, end;
    uint64_t kernel_after = (kernel + info->kernel_size + PAGE_SIZE - 1) & ~UINT64_C(0xfff);

    for (unsigned i = 0; page_range(info, i, &base, &end); i++) {
        if (kernel >= base && kernel < end) {
            map_direct(base, kernel);
            base = kernel_after < end ? kernel_after : end;
        }
        map_direct(base, end);
    }
}

void paging_init(const struct boot_info *info)
{
    if (x86_rdmsr(X86_MSR_EFER) & X86_EFER_NXE)
        no_execute = PAGING_NO_EXECUTE;
    next_device = DEVICES_BASE;
    root = page_allocate_zeroed();
    if (root.at == 0)
        panic("no memory for the kernel's page tables");
    map_image_part(info, kernel_start, text_end, 0);
    map_image_part(info, rodata_start, data_start, no_execute);
    map_image_part(info, data_start, kernel_end, PAGING_WRITE | no_execute);
    map_memory(info);
    paging_prepare(STACKS_BASE, PAGE_SIZE); /* every space's root has the same upper half */
    paging_prepare(DEVICES_BASE, PAGE_SIZE);
    if (HLEOS_KPTI)
        program_root = page_allocate_zeroed();
    if (paging_show_programs((uintptr_t)kernel_start, (size_t)(text_end - kernel_start)) < 0 ||
        paging_show_programs((uintptr_t)shared_start, (size_t)(shared_end - shared_start)) < 0)
        panic("no memory for the kernel's page tables");
    x86_write_cr3(root.at);
    page_use_direct_map();
}

int paging_map(uintptr_t address, phys_t page, uint64_t flags)
{
    uint64_t irq = lock_take(&lock);
    uint64_t *entry = find(address, 0, true);

    if (entry != NULL && (*entry & PAGING_PRESENT))
        panic("%#lx is mapped already", address);
    if (entry != NULL)
        *entry = page.at | flags | no_execute | PAGING_PRESENT | GLOBAL;
    lock_give(&lock, irq);
    return entry != NULL ? 0 : -1;
}

int paging_show_programs(uintptr_t address, size_t size)
{
    uintptr_t end = address + size;
    bool good = true;

    for (address &= ~(uintptr_t)(PAGE_SIZE - 1); HLEOS_KPTI && good && address < end;
         address += PAGE_SIZE) {
        uint64_t irq = lock_take(&lock);
        uint64_t *entry = program_root.at != 0 ? find_under(program_root, address, 0, true) : NULL;

        good = entry != NULL;
        if (good)
            *entry = *find(address, 0, false);
        lock_give(&lock, irq);
    }
    return good ? 0 : -1;
}

static phys_t unmap_one(uintptr_t address)
{
    uint64_t irq = lock_take(&lock);
    uint64_t *entry = find(address, 0, false);
    phys_t page;

    if (entry == NULL || !(*entry & PAGING_PRESENT))
        panic("%#lx is unmapped but was not mapped", address);
    page = PHYS(*entry & PAGING_ADDRESS);
    *entry = 0;
    x86_invlpg(address);
    lock_give(&lock, irq);
    return page;
}

/* Flushes the other processors once for many pages: this flush is the most expensive part. */
void paging_unmap(uintptr_t base, size_t pages)
{
    phys_t gone[UNMAP_AT_ONCE];

    while (pages > 0) {
        size_t some = pages < UNMAP_AT_ONCE ? pages : UNMAP_AT_ONCE;

        for (size_t i = 0; i < some; i++)
            gone[i] = unmap_one(base + i * PAGE_SIZE);
        flush_others();
        for (size_t i = 0; i < some; i++)
            page_free(gone[i]);
        base += some * PAGE_SIZE;
        pages -= some;
    }
}

static bool is_empty(const uint64_t *table)
{
    for (int i = 0; i < ENTRIES; i++)
        if (table[i] != 0)
            return false;
    return true;
}

/* Frees empty tables of level 0, each of 2 MB, then those above them, each of 1 GB. No other thread
 * uses an empty table: entries are added only under the lock. */
void paging_prune(uintptr_t base, size_t size)
{
    for (int level = 1; level <= 2; level++) {
        uintptr_t reach = UINT64_C(1) << (12 + 9 * level);

        for (uintptr_t at = base & -reach; at < base + size; at += reach) {
            uint64_t irq = lock_take(&lock);
            uint64_t *entry = find(at, level, false);
            phys_t table = PHYS(0);

            if (entry != NULL && (*entry & PAGING_PRESENT) && !(*entry & PAGING_LARGE))
                table = PHYS(*entry & PAGING_ADDRESS);
            if (table.at != 0 && is_empty(page_virtual(table))) {
                *entry = 0;
                x86_invlpg(at); /* flushes the cached upper tables too */
                flush_others();
                page_free(table);
            }
            lock_give(&lock, irq);
        }
    }
}

void *paging_map_device(phys_t address, size_t size, uint64_t flags)
{
    uint64_t offset = address.at % PAGE_SIZE;
    size_t pages = (offset + size + PAGE_SIZE - 1) / PAGE_SIZE;
    uint64_t irq = lock_take(&lock);
    uintptr_t base = next_device;

    next_device += pages * PAGE_SIZE;
    lock_give(&lock, irq);
    for (size_t i = 0; i < pages; i++)
        if (paging_map(base + i * PAGE_SIZE, PHYS(address.at - offset + i * PAGE_SIZE), flags) < 0)
            return NULL;
    return (void *)(base + offset);
}

phys_t paging_root(void)
{
    return root;
}

phys_t paging_program_root(void)
{
    return program_root;
}

uint64_t paging_no_execute(void)
{
    return no_execute;
}

uint64_t paging_entry(uintptr_t address)
{
    uint64_t *entry;

    for (int level = 0; level <= 1; level++) {
        entry = find(address, level, false);
        if (entry != NULL && (*entry & PAGING_PRESENT) && (level == 0 || (*entry & PAGING_LARGE)))
            return *entry;
    }
    return 0;
}

bool paging_is_mapped(uintptr_t address)
{
    return root.at == 0 || paging_entry(address) != 0;
}

static void walk(uint64_t *table, int level, uintptr_t base,
                 void (*visit)(void *context, uintptr_t address, uint64_t entry, size_t size),
                 void *context)
{
    for (uintptr_t i = 0; i < ENTRIES; i++) {
        uintptr_t address = base + (i << (12 + 9 * level));

        if (level == LEVELS - 1 && i >= ENTRIES / 2)
            address |= HALF; /* canonical: bit 47 repeated */
        if (!(table[i] & PAGING_PRESENT))
            continue;
        if (level == 0 || (table[i] & PAGING_LARGE))
            visit(context, address, table[i], (size_t)1 << (12 + 9 * level));
        else
            walk(page_virtual(PHYS(table[i] & PAGING_ADDRESS)), level - 1, address, visit, context);
    }
}

void paging_walk(void (*visit)(void *context, uintptr_t address, uint64_t entry, size_t size),
                 void *context)
{
    walk(page_virtual(root), LEVELS - 1, 0, visit, context);
}
