/*
 * Faults of system instructions: control registers, MSRs, table registers; see raise.h. Intel SDM
 * volume 2, MOV to control registers, WRMSR, LLDT, LTR, LGDT.
 */
#include "watch/explain/fault/descriptor.h"
#include "watch/explain/fault/raise.h"

#define CR0_NW (UINT64_C(1) << 29)
#define CR0_CD (UINT64_C(1) << 30)

enum { MSR_EFER = 0xc0000080 };

/* Bits that EFER may have: SCE, LME, LMA, NXE, SVME, LMSLE, FFXSR, TCE (AMD APM volume 2, 3.1.7).
 */
#define EFER_KNOWN UINT64_C(0xfd01)

static bool refuse(struct raise_context *c, const char *why)
{
    return exception_set(c->e, EXCEPTION_GP, 0, "%s", why);
}

static bool check_cr0(struct raise_context *c, uint64_t value)
{
    const struct kvm_sregs *sregs = &c->s->sregs;

    if (value >> 32 != 0)
        return refuse(c, "CR0 has no bits above 31");
    if ((value & CR0_PG) && !(value & CR0_PE))
        return refuse(c, "CR0.PG (bit 31) without CR0.PE (bit 0)");
    if ((value & CR0_NW) && !(value & CR0_CD))
        return refuse(c, "CR0.NW (bit 29) without CR0.CD (bit 30)");
    if ((value & CR0_PG) && !(sregs->cr0 & CR0_PG) && (sregs->efer & EFER_LME)) {
        if (!(sregs->cr4 & CR4_PAE))
            return refuse(c, "paging switched on for long mode with CR4.PAE (bit 5) clear");
        if (sregs->cs.l)
            return refuse(c, "long mode switched on from a code segment with L set");
    }
    return !(value & CR0_PG) && snapshot_mode(c->s) == SNAPSHOT_LONG &&
           refuse(c, "paging switched off in 64-bit code");
}

static bool check_cr4(struct raise_context *c, uint64_t value)
{
    if (value >> 32 != 0)
        return refuse(c, "CR4 has no bits above 31");
    if (snapshot_is_long(c->s) && !(value & CR4_PAE))
        return refuse(c, "CR4.PAE (bit 5) cleared in long mode");
    return snapshot_is_long(c->s) && ((value ^ c->s->sregs.cr4) & CR4_LA57) &&
           refuse(c, "CR4.LA57 (bit 12) changed in long mode");
}

bool raise_check_control(struct raise_context *c)
{
    const ZydisDecodedOperand *to = &c->in->operands[0];
    uint64_t value;

    if (c->in->i.mnemonic != ZYDIS_MNEMONIC_MOV || to->type != ZYDIS_OPERAND_TYPE_REGISTER ||
        ZydisRegisterGetClass(to->reg.value) != ZYDIS_REGCLASS_CONTROL ||
        !instruction_value(c->s, c->in, 1, &value))
        return false;
    switch (to->reg.value) {
    case ZYDIS_REGISTER_CR0:
        return check_cr0(c, value);
    case ZYDIS_REGISTER_CR3:
        return snapshot_is_long(c->s) && value >> 52 != 0 && value >> 63 == 0 &&
               refuse(c, "reserved bits of CR3 set");
    case ZYDIS_REGISTER_CR4:
        return check_cr4(c, value);
    default:
        return false;
    }
}

bool raise_check_msr(struct raise_context *c)
{
    uint64_t value = (c->s->regs.rdx & UINT32_MAX) << 32 | (c->s->regs.rax & UINT32_MAX);
    uint32_t msr = (uint32_t)c->s->regs.rcx;

    if (c->in->i.mnemonic != ZYDIS_MNEMONIC_WRMSR || msr != MSR_EFER)
        return false;
    if (value & ~EFER_KNOWN)
        return refuse(c, "reserved bits of EFER set");
    return (c->s->sregs.cr0 & CR0_PG) && ((value ^ c->s->sregs.efer) & EFER_LME) &&
           refuse(c, "EFER.LME (bit 8) changed while paging is on");
}

/* LTR needs an available TSS, LLDT an LDT. */
static bool check_system_selector(struct raise_context *c, bool task)
{
    const char *name = task ? "LTR" : "LLDT";
    struct descriptor d;
    uint64_t selector;

    if (!instruction_value(c->s, c->in, 0, &selector))
        return false;
    if ((selector & 0xfffc) == 0)
        return task && exception_set(c->e, EXCEPTION_GP, 0, "LTR with selector 0");
    d = descriptor_look(c->s, (uint16_t)selector);
    c->r->selectors[c->r->selector_count++] = (uint16_t)selector;
    if (d.state != DESCRIPTOR_GOOD)
        return exception_set(c->e, EXCEPTION_GP, selector & 0xfffc,
                             "%s with selector 0x%lx, which %s", name, selector,
                             descriptor_state_words(&d).text);
    if (d.segment || (task ? d.type != TYPE_TSS && d.type != TYPE_TSS16 : d.type != TYPE_LDT)) {
        bool busy = task && !d.segment && (d.type == TYPE_TSS_BUSY || d.type == TYPE_TSS16_BUSY);

        return exception_set(c->e, EXCEPTION_GP, selector & 0xfffc,
                             "%s with selector 0x%lx, whose descriptor is %s (type 0x%x)", name,
                             selector,
                             busy   ? "a busy TSS"
                             : task ? "not a TSS"
                                    : "not an LDT",
                             d.type);
    }
    return !d.present &&
           exception_set(c->e, EXCEPTION_NP, selector & 0xfffc,
                         "%s with selector 0x%lx, not present (bit 47 is clear)", name, selector);
}

bool raise_check_tables(struct raise_context *c)
{
    struct instruction_access a;
    uint64_t base;

    switch (c->in->i.mnemonic) {
    case ZYDIS_MNEMONIC_LTR:
        return check_system_selector(c, true);
    case ZYDIS_MNEMONIC_LLDT:
        return check_system_selector(c, false);
    case ZYDIS_MNEMONIC_LGDT:
    case ZYDIS_MNEMONIC_LIDT:
        return snapshot_mode(c->s) == SNAPSHOT_LONG && instruction_access(c->s, c->in, 0, &a) &&
               walk_read(c->s, a.linear + 2, &base, 8) == 8 && !snapshot_is_canonical(c->s, base) &&
               exception_set(c->e, EXCEPTION_GP, 0, "a table at 0x%lx, which is not canonical",
                             base);
    default:
        return false;
    }
}
