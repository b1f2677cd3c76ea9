/* The page walk; see walk.h. */
#include "watch/explain/walk.h"

#include <string.h>

/* Bits of an entry, the same in all formats (SDM volume 3, tables 4-5 to 4-20). */
#define ENTRY_PRESENT (UINT64_C(1) << 0)
#define ENTRY_WRITE   (UINT64_C(1) << 1)
#define ENTRY_USER    (UINT64_C(1) << 2)
#define ENTRY_LARGE   (UINT64_C(1) << 7)
#define ENTRY_NX      (UINT64_C(1) << 63)

/* Bits `high` to `low`. */
static uint64_t bits(unsigned high, unsigned low)
{
    return high < low ? 0 : (UINT64_MAX >> (63 - high)) & (UINT64_MAX << low);
}

/* A level of tables: which address bits select the entry, and which entries are possible. */
struct level {
    const char *table;
    unsigned shift, index_bits;
    bool may_be_large;
    bool has_rights; /* PAE's PDPT has neither U nor W */
};

/* 4-level and 5-level paging share one list: they differ only in where the walk begins. */
static const struct level levels_32bit[] = {{"PD", 22, 10, true, true},
                                            {"PT", 12, 10, false, true}};
static const struct level levels_pae[] = {
    {"PDPT", 30, 2, false, false}, {"PD", 21, 9, true, true}, {"PT", 12, 9, false, true}};
static const struct level levels_long[] = {{"PML5", 48, 9, false, true},
                                           {"PML4", 39, 9, false, true},
                                           {"PDPT", 30, 9, true, true},
                                           {"PD", 21, 9, true, true},
                                           {"PT", 12, 9, false, true}};

static const struct format {
    unsigned entry_size;
    unsigned count;
    const struct level *levels;
} walk_formats[] = {
    [WALK_32BIT] = {4, 2, levels_32bit},
    [WALK_PAE] = {8, 3, levels_pae},
    [WALK_4LEVEL] = {8, 4, levels_long + 1},
    [WALK_5LEVEL] = {8, 5, levels_long},
};

enum walk_paging walk_paging(const struct snapshot *s)
{
    if (!(s->sregs.cr0 & CR0_PG) || !(s->sregs.cr0 & CR0_PE))
        return WALK_OFF;
    if (!(s->sregs.cr4 & CR4_PAE))
        return WALK_32BIT;
    if (!snapshot_is_long(s))
        return WALK_PAE;
    return s->sregs.cr4 & CR4_LA57 ? WALK_5LEVEL : WALK_4LEVEL;
}

static unsigned address_bits(const struct snapshot *s)
{
    return s->address_bits >= 32 && s->address_bits <= 52 ? s->address_bits : 52;
}

static gpa_t root_of(const struct snapshot *s, enum walk_paging paging)
{
    switch (paging) {
    case WALK_OFF:
        return 0;
    case WALK_32BIT:
        return s->sregs.cr3 & bits(31, 12);
    case WALK_PAE:
        return s->sregs.cr3 & bits(31, 5);
    default:
        return s->sregs.cr3 & bits(51, 12);
    }
}

static bool is_large(const struct snapshot *s, enum walk_paging paging, const struct level *level,
                     uint64_t entry)
{
    return level->may_be_large && (entry & ENTRY_LARGE) &&
           (paging != WALK_32BIT || (s->sregs.cr4 & CR4_PSE));
}

/* The bits that must be clear in a present entry. */
static uint64_t reserved(const struct snapshot *s, enum walk_paging paging,
                         const struct level *level, bool large)
{
    unsigned width = address_bits(s);
    uint64_t mask;

    if (paging == WALK_32BIT) /* 4 MB pages keep address bits 39 to 32 in bits 20 to 13 (4.3) */
        return large ? bits(21, width < 40 ? width - 19 : 21) : 0;
    mask = paging == WALK_PAE ? bits(62, width) : bits(51, width);
    /* PAE's four PDPT entries: table 4-8. They are checked when CR3 is loaded; QEMU's emulation
     * marks them accessed afterwards, in bit 5. */
    if (!level->has_rights)
        return bits(63, width) | bits(8, 6) | bits(2, 1);
    if (!(s->sregs.efer & EFER_NX))
        mask |= ENTRY_NX;
    if (large)
        mask |= bits(level->shift - 1, 13);
    else if (!level->may_be_large && level->shift > 12)
        mask |= ENTRY_LARGE;
    return mask;
}

/* Stores the failure; returns false, for the caller to return. */
static bool fail(struct walk *w, enum walk_result result, unsigned culprit, uint64_t which)
{
    w->result = result;
    w->culprit = culprit;
    w->bits = which;
    return false;
}

/* Computes the GPA: the address bits of the entry, and the rest from the linear address. */
static void resolve(struct walk *w, const struct level *level, uint64_t entry, bool large)
{
    uint64_t offset = (UINT64_C(1) << level->shift) - 1;

    if (w->paging == WALK_32BIT) {
        w->gpa = (entry & bits(31, level->shift)) | (w->address & offset);
        if (large)
            w->gpa |= (entry & bits(20, 13)) << 19;
    } else {
        w->gpa = (entry & bits(51, 12) & ~offset) | (w->address & offset);
    }
    w->page_size = offset + 1;
    w->mapped = true;
}

/* Reads entries until one maps a page; false if an entry stops the walk. */
static bool descend(const struct snapshot *s, struct walk *w)
{
    const struct format *format = &walk_formats[w->paging];
    gpa_t table = w->root;

    for (unsigned i = 0; i < format->count; i++) {
        const struct level *level = &format->levels[i];
        struct walk_step *step = &w->steps[w->count++];
        uint64_t wrong;
        bool large;

        step->table = level->table;
        step->index = (unsigned)(w->address >> level->shift) & ((1u << level->index_bits) - 1);
        step->at = table + (gpa_t)step->index * format->entry_size;
        if (!memory_read(s->memory, step->at, &step->entry, format->entry_size))
            return fail(w, WALK_NO_TABLE, i, 0);
        if (!(step->entry & ENTRY_PRESENT))
            return fail(w, WALK_NOT_PRESENT, i, ENTRY_PRESENT);
        large = is_large(s, w->paging, level, step->entry);
        wrong = step->entry & reserved(s, w->paging, level, large);
        if (wrong != 0)
            return fail(w, WALK_RESERVED, i, wrong);
        if (large || i + 1 == format->count) {
            resolve(w, level, step->entry, large);
            return true;
        }
        table = step->entry & (w->paging == WALK_32BIT ? bits(31, 12) : bits(51, 12));
    }
    return false;
}

/* The first step whose entry has (or lacks) a bit; `count` if none. */
static unsigned find_step(const struct walk *w, uint64_t bit, bool set)
{
    unsigned i = w->paging == WALK_PAE ? 1 : 0;

    while (i < w->count && !(w->steps[i].entry & bit) == set)
        i++;
    return i;
}

/* An access by the kernel to a user page: SMEP and SMAP (4.6.1). */
static void check_guards(const struct snapshot *s, struct walk *w)
{
    if (w->user || !w->user_page)
        return;
    if (w->access == WALK_FETCH && (s->sregs.cr4 & CR4_SMEP))
        fail(w, WALK_SMEP, w->count - 1, ENTRY_USER);
    else if (w->access != WALK_FETCH && (s->sregs.cr4 & CR4_SMAP) && !(s->regs.rflags & RFLAGS_AC))
        fail(w, WALK_SMAP, w->count - 1, ENTRY_USER);
}

static void check_rights(const struct snapshot *s, struct walk *w)
{
    unsigned no_user = find_step(w, ENTRY_USER, false);
    unsigned no_write = find_step(w, ENTRY_WRITE, false);
    unsigned no_execute = w->count;

    if (w->paging != WALK_32BIT && (s->sregs.efer & EFER_NX))
        no_execute = find_step(w, ENTRY_NX, true);
    w->user_page = no_user == w->count;
    w->writable = no_write == w->count;
    w->executable = no_execute == w->count;
    if (w->user && !w->user_page)
        fail(w, WALK_NOT_USER, no_user, ENTRY_USER);
    else if (w->access == WALK_WRITE && !w->writable && (w->user || (s->sregs.cr0 & CR0_WP)))
        fail(w, WALK_READ_ONLY, no_write, ENTRY_WRITE);
    else if (w->access == WALK_FETCH && !w->executable)
        fail(w, WALK_NO_EXECUTE, no_execute, ENTRY_NX);
    else
        check_guards(s, w);
}

static uint32_t error_code(const struct snapshot *s, const struct walk *w)
{
    bool reports_fetch =
        (s->sregs.cr4 & CR4_SMEP) || (w->paging != WALK_32BIT && (s->sregs.efer & EFER_NX));
    uint32_t code = w->user ? PF_USER : 0;

    if (w->result == WALK_OK || w->result == WALK_NOT_CANONICAL)
        return 0;
    if (w->access == WALK_WRITE)
        code |= PF_WRITE;
    if (w->access == WALK_FETCH && reports_fetch)
        code |= PF_FETCH;
    if (w->result == WALK_RESERVED)
        code |= PF_RESERVED | PF_PRESENT;
    else if (w->result != WALK_NOT_PRESENT)
        code |= PF_PRESENT;
    return code;
}

struct walk walk_as(const struct snapshot *s, gva_t address, enum walk_access access, bool user)
{
    struct walk w = {.address = address, .access = access, .user = user, .paging = walk_paging(s)};

    w.root = root_of(s, w.paging);
    if (!snapshot_is_long(s))
        w.address = (uint32_t)address;
    if (w.paging == WALK_OFF) {
        w.gpa = w.address;
        w.mapped = w.writable = w.user_page = w.executable = true;
    } else if (w.paging >= WALK_4LEVEL && !snapshot_is_canonical(s, address)) {
        fail(&w, WALK_NOT_CANONICAL, 0, 0);
    } else if (descend(s, &w)) {
        check_rights(s, &w);
    }
    w.error_code = error_code(s, &w);
    w.in_ram = w.mapped && memory_at(s->memory, w.gpa, 1) != NULL;
    return w;
}

struct walk walk_address(const struct snapshot *s, gva_t address, enum walk_access access)
{
    return walk_as(s, address, access, snapshot_cpl(s) == 3);
}

bool walk_place(const struct snapshot *s, gva_t address, gpa_t *place)
{
    struct walk walk = walk_as(s, address, WALK_READ, false);

    *place = walk.gpa;
    return walk.mapped && walk.in_ram;
}

size_t walk_read(const struct snapshot *s, gva_t address, void *to, size_t length)
{
    size_t done = 0;

    while (done < length) {
        struct walk w = walk_as(s, address + done, WALK_READ, false);
        size_t part = PAGE_SIZE - (size_t)((address + done) % PAGE_SIZE);

        if (part > length - done)
            part = length - done;
        if (!w.mapped || !memory_read(s->memory, w.gpa, (uint8_t *)to + done, part))
            break;
        done += part;
    }
    return done;
}

static const char *const paging_names[] = {
    [WALK_OFF] = "paging off",        [WALK_32BIT] = "32-bit paging",   [WALK_PAE] = "PAE paging",
    [WALK_4LEVEL] = "4-level paging", [WALK_5LEVEL] = "5-level paging",
};

const char *walk_paging_name(enum walk_paging paging)
{
    return paging_names[paging];
}

struct words walk_words(const struct walk *w)
{
    static const struct {
        const char *what, *bit;
    } words[] = {
        [WALK_NOT_PRESENT] = {"not present", "P) is clear"},
        [WALK_RESERVED] = {"a reserved bit is set", "reserved) is set"},
        [WALK_NOT_USER] = {"not for user code", "U) is clear"},
        [WALK_READ_ONLY] = {"not writable", "W) is clear"},
        [WALK_NO_EXECUTE] = {"not executable", "NX) is set"},
        [WALK_SMEP] = {"a user page, which SMEP forbids the kernel to execute", "U) is set"},
        [WALK_SMAP] = {"a user page, which SMAP forbids the kernel to access", "U) is set"},
    };
    const struct walk_step *step = &w->steps[w->culprit];
    struct words said;
    struct text text = text_in(said.text, sizeof said.text);

    switch (w->result) {
    case WALK_OK:
        text_add(&text, "mapped to 0x%lx", w->gpa);
        break;
    case WALK_NOT_CANONICAL:
        text_add(&text, "not canonical: the upper bits differ");
        break;
    case WALK_NO_TABLE:
        text_add(&text, "the %s would lie at 0x%lx, outside RAM", step->table, step->at);
        break;
    default:
        text_add(&text, "%s: %s[%u] bit %u (%s", words[w->result].what, step->table, step->index,
                 (unsigned)__builtin_ctzll(w->bits), words[w->result].bit);
    }
    return said;
}

static const char *page_size_name(uint64_t size)
{
    return size == 4 * KIB ? "4 KB" : size == 2 * MIB ? "2 MB" : size == 4 * MIB ? "4 MB" : "1 GB";
}

static void print_step(struct text *text, const struct walk *w, unsigned i)
{
    const struct walk_step *step = &w->steps[i];

    text_add(text, "    %s[%u]", step->table, step->index);
    text_pad(text, 14);
    text_add(text, "at 0x%lx: ", step->at);
    if (w->result == WALK_NO_TABLE && w->culprit == i) {
        text_add(text, "outside RAM\n");
        return;
    }
    text_add(text, "0x%lx", step->entry);
    if (w->paging == WALK_PAE && i == 0)
        text_add(text, " %s", step->entry & 1 ? "P" : "-");
    else
        text_add(text, " %s%s%s%s", step->entry & 1 ? "P" : "-", step->entry & 2 ? "W" : "-",
                 step->entry & 4 ? "U" : "-", step->entry >> 63 ? " NX" : "");
    text_add(text, w->result != WALK_OK && w->culprit == i ? "   <--\n" : "\n");
}

void walk_print(struct text *text, const struct walk *w)
{
    if (w->paging != WALK_OFF && w->result != WALK_NOT_CANONICAL)
        text_add(text, "    %s, CR3 0x%lx\n", walk_paging_name(w->paging), w->root);
    for (unsigned i = 0; i < w->count; i++)
        print_step(text, w, i);
    text_add(text, "    => ");
    if (w->mapped && w->paging != WALK_OFF)
        text_add(text, "0x%lx, a page of %s (%s, %s, %s)", w->gpa, page_size_name(w->page_size),
                 w->writable ? "writable" : "read-only", w->user_page ? "user" : "kernel",
                 w->executable ? "executable" : "no execute");
    else if (w->mapped)
        text_add(text, "0x%lx (%s)", w->gpa, walk_paging_name(w->paging));
    if (w->mapped && !w->in_ram)
        text_add(text, ", outside RAM");
    if (w->result != WALK_OK)
        text_add(text, "%s%s", w->mapped ? "; " : "", walk_words(w).text);
    text_add(text, "\n");
}
