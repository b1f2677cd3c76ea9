/* G-stage page tables; see gstage.h. An entry is a pointer (V alone) or a leaf (any of R, W, X). */
#include "mem/gstage.h"

#include "cpu/csr.h"
#include "mem/page.h"

#define PTE_V      (1ul << 0)
#define PTE_LEAF   ((uint64_t)PERM_RWX)
#define PTE_U      (1ul << 4) /* G-stage accesses count as user accesses (15.5.1) */
#define PTE_A      (1ul << 6)
#define PTE_D      (1ul << 7)
#define PTE_SHARED (1ul << 8) /* RSW: a page with several owners */
#define PTE_DEVICE (1ul << 9) /* RSW: not memory of the page allocator */
#define PTE_PPN(p) (((p) >> 10) & ATP_PPN_MASK)

enum { ROOT_ENTRIES = 2048, ENTRIES = 512 };

static uint64_t leaf_entry(hpa_t hpa, unsigned perm)
{
    /* A and D are set beforehand: some harts trap instead of setting them (Svade). */
    return hpa >> 2 | perm | PTE_V | PTE_U | PTE_A | PTE_D;
}

static uint64_t shared_entry(hpa_t hpa, unsigned perm)
{
    return leaf_entry(hpa, perm & ~(unsigned)PERM_W) | PTE_SHARED;
}

static hpa_t entry_target(uint64_t entry)
{
    return PTE_PPN(entry) << 12;
}

static bool is_leaf(uint64_t entry)
{
    return (entry & PTE_LEAF) != 0;
}

static size_t index_at(const struct gstage *gs, gpa_t gpa, unsigned level)
{
    size_t mask = level == gs->levels - 1 ? ROOT_ENTRIES - 1 : ENTRIES - 1;

    return gpa >> (12 + 9 * level) & mask;
}

static bool in_reach(const struct gstage *gs, gpa_t gpa)
{
    return gpa >> gstage_bits(gs->levels) == 0;
}

int gstage_init(struct gstage *gs, unsigned levels, struct page_account *account)
{
    *gs = (struct gstage){
        .levels = levels, .account = account, .root = page_alloc(account, ORDER_16K)};
    return gs->root != NULL ? GSTAGE_OK : GSTAGE_NO_MEMORY;
}

static unsigned order_of(unsigned level)
{
    return 9 * level;
}

static void free_leaf(struct gstage *gs, uint64_t entry, unsigned level)
{
    void *memory = (void *)entry_target(entry);

    if (entry & PTE_DEVICE)
        return;
    if (entry & PTE_SHARED)
        page_drop(gs->account, memory, order_of(level));
    else
        page_free(gs->account, memory, order_of(level));
    gs->leaves[level]--;
}

/* Frees leaves, and tables that become empty, at most `budget` of them. */
static void shrink_table(struct gstage *gs, uint64_t *table, size_t entries, unsigned level,
                         unsigned *budget)
{
    for (size_t i = 0; i<entries && * budget> 0; i++) {
        void *target = (void *)entry_target(table[i]);

        if ((table[i] & PTE_V) == 0)
            continue;
        if (is_leaf(table[i])) {
            free_leaf(gs, table[i], level);
        } else {
            shrink_table(gs, target, ENTRIES, level - 1, budget);
            if (*budget == 0)
                return;
            page_free(gs->account, target, ORDER_4K);
            gs->tables--;
        }
        table[i] = 0;
        --*budget;
    }
}

bool gstage_shrink(struct gstage *gs, unsigned budget)
{
    if (gs->root == NULL)
        return true;
    shrink_table(gs, gs->root, ROOT_ENTRIES, gs->levels - 1, &budget);
    if (budget == 0)
        return false;
    page_free(gs->account, gs->root, ORDER_16K);
    gs->root = NULL;
    return true;
}

/* Finds the entry for `gpa` on the lowest level reached: a leaf or an empty entry. Reads its value
 * once, as another hart may replace it by a table at any time (gstage_split). */
static uint64_t *find_value(const struct gstage *gs, gpa_t gpa, unsigned *level, uint64_t *value)
{
    uint64_t *table = gs->root;

    for (*level = gs->levels - 1;; --*level) {
        uint64_t *entry = &table[index_at(gs, gpa, *level)];

        *value = __atomic_load_n(entry, __ATOMIC_ACQUIRE); /* pairs with the stores of entries */
        if ((*value & PTE_V) == 0 || is_leaf(*value))
            return entry;
        table = (uint64_t *)entry_target(*value);
    }
}

/* The same for a caller that holds the VM's lock: the entry does not change. */
static uint64_t *find(const struct gstage *gs, gpa_t gpa, unsigned *level)
{
    uint64_t value;

    return find_value(gs, gpa, level, &value);
}

int gstage_map(struct gstage *gs, gpa_t gpa, hpa_t hpa, unsigned level, unsigned perm)
{
    unsigned at;
    uint64_t *entry;

    if (!in_reach(gs, gpa) || level >= GSTAGE_LEAF_LEVELS || perm == 0 ||
        ((gpa | hpa) & (gstage_size(level) - 1)) != 0)
        return GSTAGE_BAD_ADDRESS;
    entry = find(gs, gpa, &at);
    if ((*entry & PTE_V) != 0 || at < level)
        return GSTAGE_OCCUPIED;
    while (at > level) {
        uint64_t *table = page_alloc(gs->account, ORDER_4K);

        if (table == NULL)
            return GSTAGE_NO_MEMORY;
        gs->tables++;
        __atomic_store_n(entry, (hpa_t)table >> 2 | PTE_V, __ATOMIC_RELEASE); /* table is zero */
        entry = &table[index_at(gs, gpa, --at)];
    }
    __atomic_store_n(entry, leaf_entry(hpa, perm), __ATOMIC_RELEASE);
    gs->leaves[level]++;
    return GSTAGE_OK;
}

int gstage_map_device(struct gstage *gs, gpa_t gpa, hpa_t hpa)
{
    unsigned level;
    int result = gstage_map(gs, gpa, hpa, GSTAGE_4K, PERM_R | PERM_W);

    if (result == GSTAGE_OK) {
        *find(gs, gpa, &level) |= PTE_DEVICE; /* no hart uses the stage yet */
        gs->leaves[GSTAGE_4K]--;              /* these counts are for RAM only */
    }
    return result;
}

uint64_t gstage_tables_most(uint64_t size)
{
    uint64_t entries = size / PAGE_4K, tables = 0;

    /* For mappings of 4 KiB only. A level may need two more tables, as RAM need not be aligned to
     * the range that a table covers. */
    for (unsigned level = 0; level < 3; level++) {
        entries /= ENTRIES;
        tables += entries + 2;
    }
    return tables;
}

bool gstage_lookup(const struct gstage *gs, gpa_t gpa, struct gstage_leaf *leaf)
{
    unsigned level;
    uint64_t entry;

    if (gs->root == NULL || !in_reach(gs, gpa))
        return false;
    (void)find_value(gs, gpa, &level, &entry);
    if ((entry & PTE_V) == 0)
        return false;
    *leaf = (struct gstage_leaf){.gpa = ALIGN_DOWN(gpa, gstage_size(level)),
                                 .hpa = entry_target(entry),
                                 .level = level,
                                 .perm = (unsigned)(entry & PTE_LEAF),
                                 .shared = (entry & PTE_SHARED) != 0};
    return true;
}

int gstage_split(struct gstage *gs, gpa_t gpa)
{
    unsigned level;
    uint64_t *entry, *table;
    uint64_t old;

    if (!in_reach(gs, gpa))
        return GSTAGE_BAD_ADDRESS;
    entry = find(gs, gpa, &level);
    old = *entry;
    if ((old & PTE_V) == 0 || level == GSTAGE_4K)
        return GSTAGE_BAD_ADDRESS;
    table = page_alloc(gs->account, ORDER_4K);
    if (table == NULL)
        return GSTAGE_NO_MEMORY;
    for (size_t i = 0; i < ENTRIES; i++)
        table[i] = leaf_entry(entry_target(old) + i * gstage_size(level - 1), old & PERM_RWX) |
                   (old & PTE_SHARED);
    __atomic_store_n(entry, (hpa_t)table >> 2 | PTE_V, __ATOMIC_RELEASE);
    gs->tables++;
    gs->leaves[level]--;
    gs->leaves[level - 1] += ENTRIES;
    return GSTAGE_OK;
}

bool gstage_next(const struct gstage *gs, gpa_t gpa, gpa_t end, struct gstage_leaf *leaf)
{
    while (gpa < end && in_reach(gs, gpa)) {
        unsigned level;

        if (gstage_lookup(gs, gpa, leaf))
            return true;
        (void)find(gs, gpa, &level);
        gpa = ALIGN_DOWN(gpa, gstage_size(level)) + gstage_size(level);
    }
    return false;
}

int gstage_share(struct gstage *gs, struct gstage *other, const struct gstage_leaf *leaf)
{
    unsigned level;
    uint64_t *entry;
    int result = gstage_map(other, leaf->gpa, leaf->hpa, leaf->level, leaf->perm);

    if (result != GSTAGE_OK)
        return result;
    page_share((void *)leaf->hpa, order_of(leaf->level));
    *find(other, leaf->gpa, &level) = shared_entry(leaf->hpa, leaf->perm);
    entry = find(gs, leaf->gpa, &level);
    __atomic_store_n(entry, shared_entry(leaf->hpa, leaf->perm), __ATOMIC_RELEASE);
    return GSTAGE_OK;
}

void gstage_unshare(struct gstage *gs, gpa_t gpa, hpa_t hpa, unsigned perm)
{
    unsigned level;
    uint64_t *entry = find(gs, gpa, &level);

    __atomic_store_n(entry, leaf_entry(hpa, perm), __ATOMIC_RELEASE);
}

uint64_t gstage_hgatp(const struct gstage *gs, unsigned vmid)
{
    uint64_t mode = gs->levels == 3 ? ATP_MODE_SV39 : ATP_MODE_SV48;

    return mode << ATP_MODE_SHIFT | (uint64_t)vmid << HGATP_VMID_SHIFT | (hpa_t)gs->root >> 12;
}

void gstage_walk(const struct gstage *gs, gpa_t gpa,
                 void (*step)(void *context, unsigned level, hpa_t at, uint64_t entry),
                 void *context)
{
    uint64_t *table = gs->root;

    if (table == NULL || !in_reach(gs, gpa))
        return;
    for (unsigned level = gs->levels - 1;; level--) {
        uint64_t *entry = &table[index_at(gs, gpa, level)];

        step(context, level, (hpa_t)entry, *entry);
        if ((*entry & PTE_V) == 0 || is_leaf(*entry))
            return;
        table = (uint64_t *)entry_target(*entry);
    }
}
