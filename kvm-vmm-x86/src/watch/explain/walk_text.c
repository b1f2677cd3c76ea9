/* What is told about a page walk; see walk.h. */
#include "watch/explain/walk.h"

static const char *const paging_names[] = {
    [WALK_OFF] = "paging off",        [WALK_32BIT] = "32-bit paging",   [WALK_PAE] = "PAE paging",
    [WALK_4LEVEL] = "4-level paging", [WALK_5LEVEL] = "5-level paging",
};

const char *walk_paging_name(enum walk_paging paging)
{
    return paging_names[paging];
}

/* The lowest bit set. */
static unsigned first_bit(uint64_t value)
{
    unsigned bit = 0;

    while (bit < 63 && !(value >> bit & 1))
        bit++;
    return bit;
}

void walk_describe(struct text *text, const struct walk *w)
{
    static const struct {
        const char *what, *bit;
    } words[] = {
        [WALK_NOT_PRESENT] = {"not present", "P) is clear"},
        [WALK_RESERVED] = {"a reserved bit is set", "reserved) is set"},
        [WALK_NOT_USER] = {"not for user code", "U) is clear"},
        [WALK_READ_ONLY] = {"not writable", "W) is clear"},
        [WALK_NO_EXECUTE] = {"not executable", "NX) is set"},
        [WALK_SMEP] = {"a user's page, which SMEP keeps the kernel from running", "U) is set"},
        [WALK_SMAP] = {"a user's page, which SMAP keeps the kernel from using", "U) is set"},
    };
    const struct walk_step *step = &w->steps[w->culprit];

    switch (w->result) {
    case WALK_OK:
        text_add(text, "mapped to 0x%llx", (unsigned long long)w->gpa);
        break;
    case WALK_NOT_CANONICAL:
        text_add(text, "not canonical: the upper bits are not all alike");
        break;
    case WALK_NO_TABLE:
        text_add(text, "the %s would lie at 0x%llx, outside RAM", step->table,
                 (unsigned long long)step->at);
        break;
    default:
        text_add(text, "%s: %s[%u] bit %u (%s", words[w->result].what, step->table, step->index,
                 first_bit(w->bits), words[w->result].bit);
    }
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
    text_add(text, "at 0x%llx: ", (unsigned long long)step->at);
    if (w->result == WALK_NO_TABLE && w->culprit == i) {
        text_add(text, "outside RAM\n");
        return;
    }
    text_add(text, "0x%llx", (unsigned long long)step->entry);
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
        text_add(text, "    %s, CR3 0x%llx\n", walk_paging_name(w->paging),
                 (unsigned long long)w->root);
    for (unsigned i = 0; i < w->count; i++)
        print_step(text, w, i);
    text_add(text, "    => ");
    if (w->mapped && w->paging != WALK_OFF)
        text_add(text, "0x%llx, a page of %s (%s, %s, %s)", (unsigned long long)w->gpa,
                 page_size_name(w->page_size), w->writable ? "writable" : "read-only",
                 w->user_page ? "user" : "kernel", w->executable ? "executable" : "no execute");
    else if (w->mapped)
        text_add(text, "0x%llx (%s)", (unsigned long long)w->gpa, walk_paging_name(w->paging));
    if (w->mapped && !w->in_ram)
        text_add(text, ", outside RAM");
    if (w->result != WALK_OK) {
        text_add(text, w->mapped ? "; " : "");
        walk_describe(text, w);
    }
    text_add(text, "\n");
}
