/* The page's view of memory: code, stack, page walks; see page.h. */
#include "watch/explain/page.h"

enum { CODE_BEFORE = 4, CODE_AFTER = 4, LOOK_BACK = 512, STACK_SLOTS = 8 };

/* The name of a place whose code begins here. */
static void print_label(struct text *text, const struct page *page, gva_t address)
{
    const struct symbol *symbol = symbols_find(page->symbols, address);
    char name[160];

    if (symbol != NULL && symbol->start + page->symbols->bias == address &&
        symbols_name(page->symbols, address, name, sizeof name))
        text_add(text, "     %s:\n", name);
}

static void print_instruction(struct text *text, const struct page *page, uint64_t rip, bool here)
{
    const struct snapshot *s = page->snapshot;
    gva_t linear = snapshot_linear(s, &s->sregs.cs, rip);
    struct instruction in;
    uint8_t bytes[INSTRUCTION_MAX];
    size_t count = walk_read(s, page->memory, linear, bytes, sizeof bytes);
    bool good = instruction_decode(s, bytes, count, &in) == INSTRUCTION_GOOD;
    char words[96];

    print_label(text, page, linear);
    text_add(text, "  %s %08llx", here ? "->" : "  ", (unsigned long long)linear);
    if (count == 0) {
        text_add(text, "  cannot be read\n");
        return;
    }
    text_add(text, " ");
    for (size_t i = 0; i < (good ? in.i.length : 3u) && i < count; i++)
        text_add(text, " %02x", bytes[i]);
    text_pad(text, 42);
    if (good)
        instruction_text(&in, rip, words, sizeof words);
    text_add(text, "%s\n", good ? words : "(no instruction)");
}

/* How long the instruction at `rip` is; 0 where there is none. */
static unsigned length_at(const struct page *page, uint64_t rip)
{
    const struct snapshot *s = page->snapshot;
    struct instruction in;
    uint8_t bytes[INSTRUCTION_MAX];
    size_t count =
        walk_read(s, page->memory, snapshot_linear(s, &s->sregs.cs, rip), bytes, sizeof bytes);

    return instruction_decode(s, bytes, count, &in) == INSTRUCTION_GOOD ? in.i.length : 0;
}

/* Code can only be read forwards: from the start of the symbol, or of the one before if RIP is at
 * its start; if that is near, and leads to RIP. */
static unsigned find_before(const struct page *page, uint64_t before[CODE_BEFORE])
{
    const struct snapshot *s = page->snapshot;
    gva_t here = snapshot_linear_rip(s);
    const struct symbol *symbol = symbols_find(page->symbols, here);
    uint64_t back = 0, at;
    unsigned count = 0, length;

    if (symbol != NULL && symbol->start + page->symbols->bias == here)
        symbol = symbols_find(page->symbols, here - 1);
    if (symbol != NULL)
        back = here - page->symbols->bias - symbol->start;
    if (back > LOOK_BACK || back > s->regs.rip)
        return 0;
    for (at = s->regs.rip - back; at < s->regs.rip; at += length) {
        length = length_at(page, at);
        if (length == 0)
            return 0;
        before[count++ % CODE_BEFORE] = at;
    }
    return at == s->regs.rip ? count : 0;
}

void page_print_code(struct text *text, const struct page *page)
{
    uint64_t before[CODE_BEFORE];
    uint64_t rip = page->snapshot->regs.rip;
    unsigned count = find_before(page, before), length;

    text_add(text, "code\n");
    for (unsigned i = count > CODE_BEFORE ? count - CODE_BEFORE : 0; i < count; i++)
        print_instruction(text, page, before[i % CODE_BEFORE], false);
    for (unsigned i = 0; i <= CODE_AFTER; i++) {
        print_instruction(text, page, rip, i == 0);
        length = length_at(page, rip);
        if (length == 0)
            break;
        rip += length;
    }
}

void page_print_stack(struct text *text, const struct page *page)
{
    const struct snapshot *s = page->snapshot;
    unsigned size = snapshot_stack_bits(s) / 8;
    uint64_t last = size == 8 ? UINT64_MAX : (UINT64_C(1) << size * 8) - 1;
    uint64_t first = s->regs.rsp & last;
    gva_t at = snapshot_linear_rsp(s);

    text_add(text, "stack\n");
    for (unsigned i = 0; i < STACK_SLOTS && first + (i + 1) * size - 1 <= last; i++, at += size) {
        uint64_t value = 0;

        if (walk_read(s, page->memory, at, &value, size) < size) {
            text_add(text, "     %08llx  cannot be read\n", (unsigned long long)at);
            return;
        }
        text_add(text, "     %08llx  %0*llx", (unsigned long long)at, (int)size * 2,
                 (unsigned long long)value);
        if (size > 2)
            page_add_name(text, page, value);
        text_add(text, "\n");
    }
}

static void print_walk(struct text *text, const struct page *page, const char *what, gva_t address,
                       enum walk_access access)
{
    struct walk w = walk_address(page->snapshot, page->memory, address, access);

    text_add(text, "  %s 0x%llx", what, (unsigned long long)w.address);
    page_add_name(text, page, address);
    text_add(text, "\n");
    walk_print(text, &w);
}

void page_print_walks(struct text *text, const struct page *page)
{
    const struct snapshot *s = page->snapshot;
    const struct diagnosis *d = page->diagnosis;

    if (walk_paging(s) == WALK_OFF)
        return;
    text_add(text, "page walks\n");
    print_walk(text, page, "RIP", snapshot_linear_rip(s), WALK_FETCH);
    print_walk(text, page, "RSP", snapshot_linear_rsp(s), WALK_WRITE);
    if (d != NULL && d->count > 0 && d->chain[0].paged) {
        text_add(text, "  what failed: 0x%llx\n", (unsigned long long)d->chain[0].walk.address);
        walk_print(text, &d->chain[0].walk);
    } else if (s->sregs.cr2 != 0) {
        print_walk(text, page, "CR2", s->sregs.cr2, WALK_READ);
    }
    if (d != NULL && d->count > 0 && d->deliveries[0].gate.inside)
        print_walk(text, page, "IDT gate", d->deliveries[0].gate.at, WALK_READ);
}
