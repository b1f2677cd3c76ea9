/* A vCPU's mode and addresses, from its registers; see snapshot.h. */
#include "watch/explain/snapshot.h"

#include <stddef.h>

bool snapshot_is_long(const struct snapshot *s)
{
    return s->sregs.efer & EFER_LMA;
}

enum snapshot_mode snapshot_mode(const struct snapshot *s)
{
    const struct kvm_segment *cs = &s->sregs.cs;

    if (!(s->sregs.cr0 & CR0_PE))
        return SNAPSHOT_REAL;
    if (snapshot_is_long(s)) {
        if (cs->l)
            return SNAPSHOT_LONG;
        return cs->db ? SNAPSHOT_COMPAT_32 : SNAPSHOT_COMPAT_16;
    }
    if (s->regs.rflags & RFLAGS_VM)
        return SNAPSHOT_VM86;
    return cs->db ? SNAPSHOT_PROTECTED_32 : SNAPSHOT_PROTECTED_16;
}

bool snapshot_is_protected(const struct snapshot *s)
{
    return snapshot_mode(s) > SNAPSHOT_VM86;
}

struct mode {
    const char *name;
    unsigned bits;
};

static const struct mode modes[] = {
    [SNAPSHOT_REAL] = {"real mode, 16-bit code", 16},
    [SNAPSHOT_VM86] = {"virtual-8086 mode", 16},
    [SNAPSHOT_PROTECTED_16] = {"protected mode, 16-bit code", 16},
    [SNAPSHOT_PROTECTED_32] = {"protected mode, 32-bit code", 32},
    [SNAPSHOT_COMPAT_16] = {"long mode, 16-bit code (compatibility)", 16},
    [SNAPSHOT_COMPAT_32] = {"long mode, 32-bit code (compatibility)", 32},
    [SNAPSHOT_LONG] = {"long mode, 64-bit code", 64},
};

const char *snapshot_mode_name(enum snapshot_mode mode)
{
    return modes[mode].name;
}

/* Real-mode code that was in protected mode before may keep D set ("unreal mode"); then D counts.
 */
unsigned snapshot_code_bits(const struct snapshot *s)
{
    enum snapshot_mode mode = snapshot_mode(s);

    return mode == SNAPSHOT_REAL && s->sregs.cs.db ? 32 : modes[mode].bits;
}

unsigned snapshot_stack_bits(const struct snapshot *s)
{
    if (snapshot_mode(s) == SNAPSHOT_LONG)
        return 64;
    return s->sregs.ss.db ? 32 : 16;
}

unsigned snapshot_cpl(const struct snapshot *s)
{
    switch (snapshot_mode(s)) {
    case SNAPSHOT_REAL:
        return 0;
    case SNAPSHOT_VM86:
        return 3;
    default:
        return s->sregs.ss.dpl & 3; /* KVM reports the CPL there, even while CS is being switched */
    }
}

gva_t snapshot_linear(const struct snapshot *s, const struct kvm_segment *segment, uint64_t offset)
{
    if (snapshot_mode(s) == SNAPSHOT_LONG) {
        bool based = segment == &s->sregs.fs || segment == &s->sregs.gs;

        return based ? segment->base + offset : offset;
    }
    return (uint32_t)(segment->base + offset);
}

gva_t snapshot_linear_rip(const struct snapshot *s)
{
    return snapshot_linear(s, &s->sregs.cs, s->regs.rip);
}

gva_t snapshot_linear_rsp(const struct snapshot *s)
{
    unsigned bits = snapshot_stack_bits(s);
    uint64_t mask = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;

    return snapshot_linear(s, &s->sregs.ss, s->regs.rsp & mask);
}

bool snapshot_is_canonical(const struct snapshot *s, gva_t address)
{
    unsigned shift = s->sregs.cr4 & CR4_LA57 ? 56 : 47;
    uint64_t top = address >> shift;

    return top == 0 || top == UINT64_MAX >> shift;
}

const struct snapshot_bit snapshot_flags[] = {
    {"CF", 0},  {"", 1},    {"PF", 2},   {"AF", 4},   {"ZF", 6},  {"SF", 7},
    {"TF", 8},  {"IF", 9},  {"DF", 10},  {"OF", 11},  {"NT", 14}, {"RF", 16},
    {"VM", 17}, {"AC", 18}, {"VIF", 19}, {"VIP", 20}, {"ID", 21}, {NULL, 0}};
const struct snapshot_bit snapshot_cr0[] = {{"PE", 0},  {"MP", 1},  {"EM", 2},  {"TS", 3},
                                            {"ET", 4},  {"NE", 5},  {"WP", 16}, {"AM", 18},
                                            {"NW", 29}, {"CD", 30}, {"PG", 31}, {NULL, 0}};
const struct snapshot_bit snapshot_cr4[] = {
    {"VME", 0},   {"PVI", 1},   {"TSD", 2},   {"DE", 3},        {"PSE", 4},         {"PAE", 5},
    {"MCE", 6},   {"PGE", 7},   {"PCE", 8},   {"OSFXSR", 9},    {"OSXMMEXCPT", 10}, {"UMIP", 11},
    {"LA57", 12}, {"VMXE", 13}, {"SMXE", 14}, {"FSGSBASE", 16}, {"PCIDE", 17},      {"OSXSAVE", 18},
    {"SMEP", 20}, {"SMAP", 21}, {"PKE", 22},  {NULL, 0}};
const struct snapshot_bit snapshot_efer[] = {{"SCE", 0},   {"LME", 8},    {"LMA", 10}, {"NXE", 11},
                                             {"SVME", 12}, {"FFXSR", 14}, {NULL, 0}};

struct snapshot_general snapshot_general(const struct snapshot *s, unsigned i)
{
    const struct kvm_regs *r = &s->regs;
    const struct snapshot_general list[SNAPSHOT_GENERAL] = {
        {"rax", r->rax}, {"rbx", r->rbx}, {"rcx", r->rcx}, {"rdx", r->rdx},
        {"rsi", r->rsi}, {"rdi", r->rdi}, {"rbp", r->rbp}, {"rsp", r->rsp},
        {"r8", r->r8},   {"r9", r->r9},   {"r10", r->r10}, {"r11", r->r11},
        {"r12", r->r12}, {"r13", r->r13}, {"r14", r->r14}, {"r15", r->r15}};

    return list[i % SNAPSHOT_GENERAL];
}
