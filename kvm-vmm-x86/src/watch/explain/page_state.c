/* The page's registers; see page.h. Bits: Intel SDM volume 3, 2.2.1, 2.3 and 2.5. */
#include "watch/explain/page.h"

struct bit {
    unsigned number;
    const char *name;
};

static const struct bit cr0_bits[] = {
    {0, "PE"},  {1, "MP"},  {2, "EM"},  {3, "TS"},  {4, "ET"},  {5, "NE"},
    {16, "WP"}, {18, "AM"}, {29, "NW"}, {30, "CD"}, {31, "PG"}, {0, NULL},
};
static const struct bit cr4_bits[] = {
    {0, "VME"},   {1, "PVI"},   {2, "TSD"},       {3, "DE"},     {4, "PSE"},         {5, "PAE"},
    {6, "MCE"},   {7, "PGE"},   {8, "PCE"},       {9, "OSFXSR"}, {10, "OSXMMEXCPT"}, {11, "UMIP"},
    {12, "LA57"}, {13, "VMXE"}, {16, "FSGSBASE"}, {17, "PCIDE"}, {18, "OSXSAVE"},    {20, "SMEP"},
    {21, "SMAP"}, {22, "PKE"},  {0, NULL},
};
static const struct bit efer_bits[] = {
    {0, "SCE"}, {8, "LME"}, {10, "LMA"}, {11, "NXE"}, {12, "SVME"}, {0, NULL},
};
static const struct bit flag_bits[] = {
    {0, "CF"},  {2, "PF"},   {4, "AF"},   {6, "ZF"},  {7, "SF"},  {8, "TF"},
    {9, "IF"},  {10, "DF"},  {11, "OF"},  {14, "NT"}, {16, "RF"}, {17, "VM"},
    {18, "AC"}, {19, "VIF"}, {20, "VIP"}, {21, "ID"}, {0, NULL},
};

static void print_bits(struct text *text, const char *name, uint64_t value, const struct bit *bits)
{
    text_add(text, "  %-6s 0x%llx", name, (unsigned long long)value);
    for (; bits->name != NULL; bits++)
        if (value >> bits->number & 1)
            text_add(text, " %s", bits->name);
    text_add(text, "\n");
}

static void print_wide(struct text *text, const struct kvm_regs *r)
{
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"rax", r->rax}, {"rbx", r->rbx}, {"rcx", r->rcx}, {"rdx", r->rdx},
        {"rsi", r->rsi}, {"rdi", r->rdi}, {"rbp", r->rbp}, {"rsp", r->rsp},
        {"r8 ", r->r8},  {"r9 ", r->r9},  {"r10", r->r10}, {"r11", r->r11},
        {"r12", r->r12}, {"r13", r->r13}, {"r14", r->r14}, {"r15", r->r15},
    };

    for (unsigned i = 0; i < 16; i++)
        text_add(text, "  %s %016llx%s", rows[i].name, (unsigned long long)rows[i].value,
                 i % 4 == 3 ? "\n" : "");
    text_add(text, "  rip %016llx\n", (unsigned long long)r->rip);
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
    text_add(text, "  base %08llx limit %08x type 0x%x %s DPL %u%s%s%s\n",
             (unsigned long long)s->base, s->limit, s->type, s->s ? "" : "system", s->dpl,
             s->present ? "" : ", not present", s->db ? ", 32-bit" : "", s->l ? ", 64-bit" : "");
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
    text_add(text, "  gdt base %08llx limit %04x   idt base %08llx limit %04x\n",
             (unsigned long long)s->gdt.base, s->gdt.limit, (unsigned long long)s->idt.base,
             s->idt.limit);
}

void page_print_registers(struct text *text, const struct page *page, bool wide)
{
    const struct kvm_regs *regs = &page->snapshot->regs;

    text_add(text, "registers\n");
    if (wide)
        print_wide(text, regs);
    else
        print_narrow(text, regs);
    print_bits(text, "flags", regs->rflags, flag_bits);
}

void page_print_state(struct text *text, const struct page *page)
{
    const struct snapshot *s = page->snapshot;

    page_print_registers(text, page, snapshot_mode(s) == SNAPSHOT_LONG);
    print_bits(text, "cr0", s->sregs.cr0, cr0_bits);
    print_bits(text, "cr4", s->sregs.cr4, cr4_bits);
    print_bits(text, "efer", s->sregs.efer, efer_bits);
    text_add(text, "  cr2    0x%llx\n  cr3    0x%llx\n", (unsigned long long)s->sregs.cr2,
             (unsigned long long)s->sregs.cr3);
    text_add(text, "segments\n");
    print_segments(text, &s->sregs);
}
