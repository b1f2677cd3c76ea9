/*
 * libFuzzer: the explainer on any registers and any memory. The input is a snapshot, then RAM; one
 * bit moves the tables' addresses into RAM, where any bytes are read as tables. The result must be
 * a complete, terminated page, and neither registers nor memory may change.
 */
#include <stdlib.h>
#include <string.h>

#include "watch/explain/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RAM = 32 * 1024 };

/* Random 64-bit values rarely hit RAM and the modes, so some are reduced, as the input chooses. */
static void fold(struct snapshot *s, unsigned how)
{
    if (how & 1) {
        s->sregs.cr3 &= RAM - 1;
        s->sregs.idt.base &= RAM - 1;
        s->sregs.gdt.base &= RAM - 1;
        s->sregs.tr.base &= RAM - 1;
        s->sregs.ldt.base &= RAM - 1;
    }
    if (how & 2) {
        s->regs.rip &= RAM - 1;
        s->regs.rsp &= RAM - 1;
        s->sregs.cs.base = s->sregs.ss.base = 0;
    }
    if (how & 4)
        s->sregs.cr0 |= CR0_PE;
    if (how & 8)
        s->sregs.cr0 |= CR0_PG;
    if (how & 16)
        s->sregs.efer |= EFER_LMA;
    if (how & 32)
        s->sregs.cr4 |= CR4_PAE;
    if (how & 64)
        s->sregs.cr0 &= ~CR0_PG;
}

static void explain(const struct snapshot *s, int interrupt)
{
    static char bytes[PAGE_TEXT];
    struct text text = text_in(bytes, sizeof bytes);
    struct diagnosis d = diagnose_fault(s, (struct diagnose_hint){interrupt, -1});
    gva_t addresses[16];
    struct loop loop;
    struct interrupts interrupts = {.known = true};
    struct page page = {.snapshot = s, .diagnosis = &d, .loop = &loop, .interrupts = &interrupts};

    memcpy(addresses, &s->regs, sizeof addresses);
    loop = loop_find(addresses, 16);
    memcpy(interrupts.pic, &s->regs, sizeof interrupts.pic);
    page_print(&text, &page);
    (void)interrupts_describe_stuck(&text, &interrupts);
    if (strlen(bytes) != text.length || strlen(d.line) >= sizeof d.line || d.count > CHAIN_MAX)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t *ram, *copy;
    struct memory memory;
    struct snapshot s = {.memory = &memory, .address_bits = 40};
    struct snapshot before;
    size_t head = 1 + sizeof s.regs + sizeof s.sregs;

    if (size < head)
        return 0;
    if (ram == NULL) {
        ram = calloc(1, RAM);
        copy = calloc(1, RAM);
    }
    memcpy(&s.regs, data + 1, sizeof s.regs);
    memcpy(&s.sregs, data + 1 + sizeof s.regs, sizeof s.sregs);
    fold(&s, data[0]);
    before = s;
    memset(ram, 0, RAM);
    for (size_t at = 0; at < RAM && size > head; at += size - head)
        memcpy(ram + at, data + head, size - head < RAM - at ? size - head : RAM - at);
    memcpy(copy, ram, RAM);
    memory_init(&memory, 0, RAM, ram);
    explain(&s, data[0] & 128 ? (int)(s.regs.rax & 255) : -1);
    if (memcmp(ram, copy, RAM) != 0 || memcmp(&s, &before, sizeof s) != 0)
        abort();
    return 0;
}
