/* Page tables of programs: Intel SDM volume 3, 4.5; see space.h. */
#include "memory/space.h"

#include "common/string.h"
#include "common/x86.h"
#include "cpu.h"
#include "memory/layout.h"
#include "memory/page.h"
#include "memory/paging.h"

enum { ENTRIES = 512, LEVELS = 4, KERNEL_HALF = ENTRIES / 2 };

static uint64_t *table_at(uint64_t entry)
{
    return page_virtual(PHYS(entry & PAGING_ADDRESS));
}

static phys_t new_root(phys_t kernel)
{
    phys_t page = page_allocate_zeroed();

    if (page.at != 0)
        memcpy((uint64_t *)page_virtual(page) + KERNEL_HALF,
               (uint64_t *)page_virtual(kernel) + KERNEL_HALF, KERNEL_HALF * sizeof(uint64_t));
    return page;
}

bool space_create(struct space *space)
{
    *space = (struct space){.root = new_root(paging_root())};
    if (HLEOS_KPTI && space->root.at != 0) {
        space->user_root = new_root(paging_program_root());
        if (space->user_root.at == 0) {
            page_free(space->root);
            space->root = PHYS(0); /* nothing to destroy */
        }
    }
    return space->root.at != 0;
}

/* The program's half is the same under both roots. */
static void share_tables(const struct space *space)
{
    if (HLEOS_KPTI)
        memcpy(page_virtual(space->user_root), page_virtual(space->root),
               KERNEL_HALF * sizeof(uint64_t));
}

/* Frees a table of `level`, and all pages and tables below it. */
static void free_table(phys_t page, int level, unsigned entries)
{
    uint64_t *table = page_virtual(page);

    for (unsigned i = 0; i < entries; i++) {
        phys_t below = PHYS(table[i] & PAGING_ADDRESS);

        if (!(table[i] & PAGING_PRESENT))
            continue;
        if (level > 0)
            free_table(below, level - 1, ENTRIES);
        else
            page_free(below);
    }
    page_free(page);
}

void space_destroy(struct space *space)
{
    if ((x86_read_cr3() & PAGING_ADDRESS) == space->root.at)
        space_enter(NULL);
    free_table(space->root, LEVELS - 1, KERNEL_HALF);
    if (HLEOS_KPTI)
        page_free(space->user_root);
    *space = (struct space){.pages = 0};
}

void space_enter(const struct space *space)
{
    uint64_t root = space != NULL ? space->root.at : paging_root().at;

    if ((x86_read_cr3() & PAGING_ADDRESS) == root)
        return;
    if (HLEOS_KPTI) { /* first, as an NMI may come in between */
        cpu_this()->root = root;
        cpu_this()->user_root = space != NULL ? space->user_root.at : root;
    }
    x86_write_cr3(root);
}

/* The entry of the lowest table for an address in the program's half. With `make`, missing tables
 * are made. NULL if they are missing. */
static uint64_t *find(const struct space *space, uintptr_t address, bool make)
{
    uint64_t *table = page_virtual(space->root);

    if (address < SPACE_LOW || address >= SPACE_HIGH)
        return NULL;
    for (int level = LEVELS - 1; level > 0; level--) {
        uint64_t *entry = &table[address >> (12 + 9 * level) & (ENTRIES - 1)];

        if (!(*entry & PAGING_PRESENT)) {
            phys_t page = make ? page_allocate_zeroed() : PHYS(0);

            if (page.at == 0)
                return NULL;
            *entry = page.at | PAGING_PRESENT | PAGING_WRITE | PAGING_USER;
            if (level == LEVELS - 1)
                share_tables(space);
        }
        table = table_at(*entry);
    }
    return &table[address >> 12 & (ENTRIES - 1)];
}

bool space_map(struct space *space, uintptr_t address, unsigned flags)
{
    uint64_t *entry = find(space, address, true);
    phys_t page;

    if (entry == NULL || address % PAGE_SIZE != 0 || (*entry & PAGING_PRESENT))
        return false;
    page = page_allocate_zeroed();
    if (page.at == 0)
        return false;
    *entry = page.at | PAGING_PRESENT | PAGING_USER | (flags & SPACE_WRITE ? PAGING_WRITE : 0) |
             (flags & SPACE_EXECUTE ? 0 : paging_no_execute());
    space->pages++;
    return true;
}

void space_unmap(struct space *space, uintptr_t address)
{
    uint64_t *entry = find(space, address, false);
    phys_t page;

    if (entry == NULL || !(*entry & PAGING_PRESENT))
        return;
    page = PHYS(*entry & PAGING_ADDRESS);
    *entry = 0;
    x86_invlpg(address); /* before the page gets another user */
    page_free(page);
    space->pages--;
}

/* Copies a table of `level` into `to`, which is empty. Both spaces get the same entry for a
 * page. */
static bool fork_table(phys_t to, phys_t from, int level, unsigned entries)
{
    uint64_t *ours = page_virtual(from), *theirs = page_virtual(to);

    for (unsigned i = 0; i < entries; i++) {
        phys_t below = PHYS(ours[i] & PAGING_ADDRESS), page;

        if (!(ours[i] & PAGING_PRESENT))
            continue;
        if (level == 0) {
            if (!page_share(below))
                return false;
            if (ours[i] & PAGING_WRITE)
                ours[i] = (ours[i] & ~PAGING_WRITE) | PAGING_COPY;
            theirs[i] = ours[i];
            continue;
        }
        page = page_allocate_zeroed();
        if (page.at == 0)
            return false;
        theirs[i] = page.at | (ours[i] & ~PAGING_ADDRESS);
        if (!fork_table(page, below, level - 1, ENTRIES))
            return false;
    }
    return true;
}

bool space_fork(struct space *to, struct space *from)
{
    bool good = fork_table(to->root, from->root, LEVELS - 1, KERNEL_HALF);

    share_tables(to);
    to->pages = from->pages;
    if ((x86_read_cr3() & PAGING_ADDRESS) == from->root.at)
        x86_write_cr3(from->root.at); /* flushes the writable TLB entries */
    return good;
}

/* The last user of a shared page keeps it without a copy. No other space can begin to share it
 * meanwhile, as only a fork of this space could do that. */
bool space_unshare(struct space *space, uintptr_t address)
{
    uint64_t *entry = find(space, address, false);
    phys_t page, copy;

    if (entry == NULL || !(*entry & PAGING_PRESENT) || !(*entry & PAGING_COPY))
        return false;
    page = copy = PHYS(*entry & PAGING_ADDRESS);
    if (page_is_shared(page)) {
        copy = page_allocate();
        if (copy.at == 0)
            return false;
        memcpy(page_virtual(copy), page_virtual(page), PAGE_SIZE);
    }
    *entry = copy.at | (*entry & ~(PAGING_ADDRESS | PAGING_COPY)) | PAGING_WRITE;
    x86_invlpg(address);
    if (copy.at != page.at)
        page_free(page);
    return true;
}

/* The kernel's address of a program's byte. NULL if it is not mapped with all bits of `needed`. */
static char *byte_at(struct space *space, uintptr_t address, uint64_t needed)
{
    const uint64_t *entry = find(space, address, false);

    if (entry != NULL && (needed & PAGING_WRITE) && (*entry & PAGING_COPY) &&
        !space_unshare(space, address))
        return NULL;
    if (entry == NULL || (*entry & needed) != needed)
        return NULL;
    return (char *)table_at(*entry) + address % PAGE_SIZE;
}

/* Copies page by page, from the program if `in`, else to it. */
static bool copy(struct space *space, uintptr_t address, char *ours, size_t size, uint64_t needed,
                 bool in)
{
    while (size > 0) {
        size_t some = PAGE_SIZE - address % PAGE_SIZE;
        char *theirs = byte_at(space, address, needed);

        if (theirs == NULL)
            return false;
        some = some < size ? some : size;
        memcpy(in ? ours : theirs, in ? theirs : ours, some);
        ours += some;
        address += some;
        size -= some;
    }
    return true;
}

/* Casts away const: reading does not change the space. */
bool space_copy_in(const struct space *space, void *to, uintptr_t from, size_t size)
{
    return copy((struct space *)space, from, to, size, PAGING_PRESENT | PAGING_USER, true);
}

bool space_copy_out(struct space *space, uintptr_t to, const void *from, size_t size)
{
    return copy(space, to, (char *)from, size, PAGING_PRESENT | PAGING_USER | PAGING_WRITE, false);
}

bool space_fill(struct space *space, uintptr_t to, const void *from, size_t size)
{
    return copy(space, to, (char *)from, size, PAGING_PRESENT | PAGING_USER, false);
}

long space_copy_text(const struct space *space, char *to, uintptr_t from, size_t room)
{
    enum { STEP = 32 }; /* most texts are much shorter than the buffer */
    size_t length = 0;

    while (length < room) {
        size_t some = STEP - (from + length) % STEP;
        const char *end;

        some = some < room - length ? some : room - length;
        if (!space_copy_in(space, to + length, from + length, some))
            return -1;
        end = memchr(to + length, '\0', some);
        if (end != NULL)
            return end - to;
        length += some;
    }
    return -1;
}
