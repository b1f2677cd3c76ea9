/* The report page of a guest that has ended; see page.h. Bits of registers: Intel SDM volume 3,
 * 2.2.1, 2.3 and 2.5. */
#include "watch/explain/page.h"

enum { CODE_BEFORE = 4, CODE_AFTER = 4, LOOK_BACK = 512, STACK_SLOTS = 8 };

static void add_name(struct text *text, const struct page *page, gva_t address)
{
    char name[160];

    if (symbols_name(page->symbols, address, name, sizeof name))
        text_add(text, " <%s>", name);
}

static void print_bits(struct text *text, const char *name, uint64_t value,
                       const struct snapshot_bit *bits)
{
    text_add(text, "  %-6s 0x%lx", name, value);
    for (; bits->name != NULL; bits++)
        if ((value >> bits->at & 1) && bits->name[0] != '\0')
            text_add(text, " %s", bits->name);
    text_add(text, "\n");
}

static void print_wide(struct text *text, const struct snapshot *s)
{
    for (unsigned i = 0; i < SNAPSHOT_GENERAL; i++)
        text_add(text, "  %-3s %016lx%s", snapshot_general(s, i).name, snapshot_general(s, i).value,
                 i % 4 == 3 ? "\n" : "");
    text_add(text, "  rip %016llx\n", s->regs.rip);
}

static void print_narrow(struct text *text, const struct kvm_regs *r)
{
    text_add(text, "  eax %08x  ebx %08x  ecx %08x  edx %08x\n", (uint32_t)r->rax, (uint32_t)r->rbx,
             (uint32_t)r->rcx, (uint32_t)r->rdx);
    text_add(text, "  esi %08x  edi %08x  ebp %08x  esp %08x\n", (uint32_t)r->rsi, (uint32_t)r->rdi,
             (uint32_t)r->rbp, (uint32_t)r->rsp);
    text_add(text, "  eip %08x\n", (uint32_t)r->rip);
}

static void print_segment(struct text *text, const char *name, const struct kvm_segment *s)
{
    text_add(text, "  %s %04x", name, s->selector);
    if (s->unusable) {
        text_add(text, "  null\n");
        return;
    }
    text_add(text, "  base %08llx limit %08x type 0x%x %s DPL %u%s%s%s\n", s->base, s->limit,
             s->type, s->s ? "" : "system", s->dpl, s->present ? "" : ", not present",
             s->db ? ", 32-bit" : "", s->l ? ", 64-bit" : "");
}

static void print_segments(struct text *text, const struct kvm_sregs *s)
{
    print_segment(text, "cs", &s->cs);
    print_segment(text, "ss", &s->ss);
    print_segment(text, "ds", &s->ds);
    print_segment(text, "es", &s->es);
    print_segment(text, "fs", &s->fs);
    print_segment(text, "gs", &s->gs);
    print_segment(text, "tr", &s->tr);
    print_segment(text, "ldt", &s->ldt);
    text_add(text, "  gdt base %08llx limit %04x   idt base %08llx limit %04x\n", s->gdt.base,
             s->gdt.limit, s->idt.base, s->idt.limit);
}

static void print_registers(struct text *text, const struct snapshot *s, bool wide)
{
    text_add(text, "registers\n");
    if (wide)
        print_wide(text, s);
    else
        print_narrow(text, &s->regs);
    print_bits(text, "flags", s->regs.rflags, snapshot_flags);
}

void page_print_state(struct text *text, const struct snapshot *s)
{
    print_registers(text, s, snapshot_mode(s) == SNAPSHOT_LONG);
    print_bits(text, "cr0", s->sregs.cr0, snapshot_cr0);
    print_bits(text, "cr4", s->sregs.cr4, snapshot_cr4);
    print_bits(text, "efer", s->sregs.efer, snapshot_efer);
    text_add(text, "  cr2    0x%llx\n  cr3    0x%llx\n", s->sregs.cr2, s->sregs.cr3);
    text_add(text, "segments\n");
    print_segments(text, &s->sregs);
}

/* Prints the symbol that begins at this address. */
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
    size_t count = walk_read(s, linear, bytes, sizeof bytes);
    bool good = instruction_decode(s, bytes, count, &in) == INSTRUCTION_GOOD;
    char words[96];

    print_label(text, page, linear);
    text_add(text, "  %s %08lx", here ? "->" : "  ", linear);
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
    text_add(text, "%s\n", good ? words : "(not an instruction)");
}

/* The length of the instruction at `rip`; 0 if it is not one. */
static unsigned length_at(const struct page *page, uint64_t rip)
{
    const struct snapshot *s = page->snapshot;
    struct instruction in;

    return instruction_at(s, snapshot_linear(s, &s->sregs.cs, rip), &in) ? in.i.length : 0;
}

/* Finds the instructions before RIP. Code can only be decoded forwards: it starts at the symbol, or
 * at the one before if RIP is at its start. It succeeds if that is near, and the decoded
 * instructions lead to RIP. */
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

static void print_code(struct text *text, const struct page *page)
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

static void print_stack(struct text *text, const struct page *page)
{
    const struct snapshot *s = page->snapshot;
    unsigned size = snapshot_stack_bits(s) / 8;
    uint64_t last = size == 8 ? UINT64_MAX : (UINT64_C(1) << size * 8) - 1;
    uint64_t first = s->regs.rsp & last;
    gva_t at = snapshot_linear_rsp(s);

    text_add(text, "stack\n");
    for (unsigned i = 0; i < STACK_SLOTS && first + (i + 1) * size - 1 <= last; i++, at += size) {
        uint64_t value = 0;

        if (walk_read(s, at, &value, size) < size) {
            text_add(text, "     %08lx  cannot be read\n", at);
            return;
        }
        text_add(text, "     %08lx  %0*lx", at, (int)size * 2, value);
        if (size > 2)
            add_name(text, page, value);
        text_add(text, "\n");
    }
}

static void print_walk(struct text *text, const struct page *page, const char *what, gva_t address,
                       enum walk_access access)
{
    struct walk w = walk_address(page->snapshot, address, access);

    text_add(text, "  %s %s\n", what, symbols_words(page->symbols, w.address).text);
    walk_print(text, &w);
}

static void print_walks(struct text *text, const struct page *page)
{
    const struct snapshot *s = page->snapshot;
    const struct diagnosis *d = page->diagnosis;

    if (walk_paging(s) == WALK_OFF)
        return;
    text_add(text, "page walks\n");
    print_walk(text, page, "RIP", snapshot_linear_rip(s), WALK_FETCH);
    print_walk(text, page, "RSP", snapshot_linear_rsp(s), WALK_WRITE);
    if (d != NULL && d->count > 0 && d->chain[0].paged) {
        text_add(text, "  what failed: 0x%lx\n", d->chain[0].walk.address);
        walk_print(text, &d->chain[0].walk);
    } else if (s->sregs.cr2 != 0) {
        print_walk(text, page, "CR2", s->sregs.cr2, WALK_READ);
    }
    if (d != NULL && d->count > 0 && d->deliveries[0].gate.inside)
        print_walk(text, page, "IDT gate", d->deliveries[0].gate.at, WALK_READ);
}

static void print_where(struct text *text, const struct page *page)
{
    const struct snapshot *s = page->snapshot;

    text_add(text, "where\n  %s, level %u, %s\n", snapshot_mode_name(snapshot_mode(s)),
             snapshot_cpl(s), walk_paging_name(walk_paging(s)));
    text_add(text, "  at %s\n", symbols_words(page->symbols, snapshot_linear_rip(s)).text);
    if (page->how != NULL)
        text_add(text, "  %s\n", page->how);
    if (page->no_symbols != NULL)
        text_add(text, "  without names: %s\n", page->no_symbols);
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
    text_add(text, "  %zu instructions from 0x%lx to 0x%lx", loop->instructions, loop->low,
             loop->high);
    add_name(text, page, loop->low);
    text_add(text, "\n  hot address %s, %zu of %zu instructions executed\n",
             symbols_words(page->symbols, loop->hot).text, loop->times, loop->samples);
}

/* Prints one exception: what it was, and through which gate it was delivered, or why it was not. */
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
        text_add(text, "\n     handler at %s, stack at 0x%lx\n",
                 symbols_words(page->symbols, delivery->handler).text, delivery->stack);
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
        struct descriptor descriptor = descriptor_look(page->snapshot, d->raise.selectors[i]);

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

/* Prints what is left if KVM has reset the vCPU and the cause could not be found. */
static void print_remains(struct text *text, const struct page *page)
{
    text_add(text, "where\n  %s\n", page->how != NULL ? page->how : "not known");
    print_registers(text, page->snapshot, page->wide);
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
    print_code(text, page);
    page_print_state(text, page->snapshot);
    print_stack(text, page);
    print_walks(text, page);
    if (page->interrupts != NULL && page->interrupts->known) {
        text_add(text, "interrupts\n");
        interrupts_print(text, page->interrupts);
    }
    print_exits(text, page);
}
