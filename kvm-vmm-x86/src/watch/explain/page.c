/* The page as a whole; see page.h. */
#include "watch/explain/page.h"

void page_add_name(struct text *text, const struct page *page, gva_t address)
{
    char name[160];

    if (symbols_name(page->symbols, address, name, sizeof name))
        text_add(text, " <%s>", name);
}

static void print_where(struct text *text, const struct page *page)
{
    const struct snapshot *s = page->snapshot;
    gva_t rip = snapshot_linear_rip(s);

    text_add(text, "where\n  %s, level %u, %s\n", snapshot_mode_name(snapshot_mode(s)),
             snapshot_cpl(s), walk_paging_name(walk_paging(s)));
    text_add(text, "  at 0x%llx", (unsigned long long)rip);
    page_add_name(text, page, rip);
    text_add(text, "\n");
    if (page->how != NULL)
        text_add(text, "  %s\n", page->how);
}

static void print_loop(struct text *text, const struct page *page)
{
    const struct loop *loop = page->loop;

    if (loop == NULL || loop->samples == 0)
        return;
    text_add(text, "loop\n");
    if (!loop->found) {
        text_add(text, "  none found in %zu instructions\n", loop->samples);
        return;
    }
    text_add(text, "  %zu instructions from 0x%llx to 0x%llx", loop->instructions,
             (unsigned long long)loop->low, (unsigned long long)loop->high);
    page_add_name(text, page, loop->low);
    text_add(text, "\n  hot address 0x%llx", (unsigned long long)loop->hot);
    page_add_name(text, page, loop->hot);
    text_add(text, ", %zu of %zu instructions executed\n", loop->times, loop->samples);
}

/* One exception: what it was, through which gate it went or why not. */
static void print_link(struct text *text, const struct page *page, unsigned i)
{
    const struct diagnosis *d = page->diagnosis;
    const struct exception *e = &d->chain[i];
    const struct delivery *delivery = &d->deliveries[i];

    text_add(text, "  %u. ", i + 1);
    exception_describe(text, e);
    text_add(text, ", vector %u", (unsigned)e->vector);
    if (exception_has_error(e->vector))
        text_add(text, ", error code 0x%x", e->error);
    text_add(text, "\n     gate ");
    gate_print(text, page->snapshot, &delivery->gate);
    if (delivery->code.at != 0) {
        text_add(text, "\n     code segment ");
        descriptor_print(text, &delivery->code);
    }
    if (delivery->possible) {
        text_add(text, "\n     handler at 0x%llx", (unsigned long long)delivery->handler);
        page_add_name(text, page, delivery->handler);
        text_add(text, ", stack at 0x%llx\n", (unsigned long long)delivery->stack);
    } else {
        text_add(text, "\n     failed: %s\n", delivery->failed.why);
    }
}

static void print_chain(struct text *text, const struct page *page)
{
    const struct diagnosis *d = page->diagnosis;

    if (d == NULL)
        return;
    text_add(text, "what happened\n");
    if (d->raise.decoded)
        text_add(text, "  %s\n", d->raise.text);
    for (unsigned i = 0; i < d->raise.selector_count; i++) {
        struct descriptor descriptor =
            descriptor_look(page->snapshot, page->memory, d->raise.selectors[i]);

        text_add(text, "  selector ");
        descriptor_print(text, &descriptor);
        text_add(text, "\n");
    }
    if (d->count == 0)
        text_add(text, "  nothing wrong was found with this instruction\n");
    for (unsigned i = 0; i < d->count; i++)
        print_link(text, page, i);
    if (d->shutdown)
        text_add(text, "  %u. the CPU shuts down\n", d->count + 1);
}

static void print_exits(struct text *text, const struct page *page)
{
    if (page->exit_count == 0)
        return;
    text_add(text, "last exits\n");
    for (unsigned i = 0; i < page->exit_count && i < PAGE_EXITS; i++)
        text_add(text, "  %s\n", page->exits[i]);
}

/* What is left when KVM has reset the vCPU and nothing could be found out. */
static void print_remains(struct text *text, const struct page *page)
{
    text_add(text, "where\n  %s\n", page->how != NULL ? page->how : "not known");
    page_print_registers(text, page, page->wide);
    print_exits(text, page);
}

void page_print(struct text *text, const struct page *page)
{
    if (page->general_only) {
        print_remains(text, page);
        return;
    }
    print_where(text, page);
    print_chain(text, page);
    print_loop(text, page);
    page_print_code(text, page);
    page_print_state(text, page);
    page_print_stack(text, page);
    page_print_walks(text, page);
    if (page->interrupts != NULL && page->interrupts->known) {
        text_add(text, "interrupts\n");
        interrupts_print(text, page->interrupts);
    }
    print_exits(text, page);
}
