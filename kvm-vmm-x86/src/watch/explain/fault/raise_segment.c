/*
 * Faults of loading a segment register, by MOV, POP and LDS or by a far jump, call or return; see
 * raise.h. Intel SDM volume 3, 5.7 to 5.8; volume 2, MOV, JMP, RET, IRET.
 */
#include "watch/explain/fault/descriptor.h"
#include "watch/explain/fault/raise.h"

static struct descriptor look(struct raise_context *c, uint16_t selector)
{
    if (c->r->selector_count < sizeof c->r->selectors / sizeof c->r->selectors[0])
        c->r->selectors[c->r->selector_count++] = selector;
    return descriptor_look(c->s, selector);
}

/* `name`: of the register, for the message. */
static bool refuse(struct raise_context *c, int vector, uint16_t selector, const char *name,
                   const char *why)
{
    return exception_set(c->e, vector, selector & 0xfffcu, "%s loaded with selector 0x%x, which %s",
                         name, selector, why);
}

static bool refuse_state(struct raise_context *c, const struct descriptor *d, const char *name)
{
    if (d->state == DESCRIPTOR_UNREADABLE)
        return exception_set_walk(c->e, &d->walk, false);
    return refuse(c, EXCEPTION_GP, d->selector, name, descriptor_state_words(d).text);
}

/* SS must be writable and have the current privilege level; others must be readable, or null. */
static bool check_data(struct raise_context *c, uint16_t selector, bool stack, const char *name)
{
    unsigned cpl = snapshot_cpl(c->s);
    struct descriptor d = look(c, selector);

    if (d.state == DESCRIPTOR_NULL && (!stack || snapshot_mode(c->s) == SNAPSHOT_LONG))
        return false;
    if (d.state != DESCRIPTOR_GOOD)
        return refuse_state(c, &d, name);
    if (stack && (!descriptor_is_writable_data(&d) || d.dpl != cpl || (selector & 3) != cpl))
        return refuse(c, EXCEPTION_GP, selector, name, "is not a writable segment of this level");
    if (!stack && !descriptor_is_readable(&d))
        return refuse(c, EXCEPTION_GP, selector, name, "cannot be read through");
    if (!stack && !descriptor_is_conforming(&d) && d.dpl < cpl)
        return refuse(c, EXCEPTION_GP, selector, name, "is of a higher privilege");
    return !d.present && refuse(c, stack ? EXCEPTION_SS : EXCEPTION_NP, selector, name,
                                "is not present (bit 47 is clear)");
}

static const char *name_of(ZydisRegister reg)
{
    static const char *const names[] = {"ES", "CS", "SS", "DS", "FS", "GS"};

    return names[(reg - ZYDIS_REGISTER_ES) % 6];
}

bool raise_check_segment(struct raise_context *c)
{
    const ZydisDecodedOperand *to = &c->in->operands[0];
    struct instruction_access a;
    uint64_t selector;
    uint16_t popped;

    if (!snapshot_is_protected(c->s) || to->type != ZYDIS_OPERAND_TYPE_REGISTER ||
        ZydisRegisterGetClass(to->reg.value) != ZYDIS_REGCLASS_SEGMENT)
        return false;
    if (c->in->i.mnemonic == ZYDIS_MNEMONIC_POP) {
        if (walk_read(c->s, snapshot_linear_rsp(c->s), &popped, 2) < 2)
            return false;
        selector = popped;
    } else if (c->in->i.mnemonic != ZYDIS_MNEMONIC_MOV) {
        return false;
    } else if (instruction_access(c->s, c->in, 1, &a)) {
        if (walk_read(c->s, a.linear, &popped, 2) < 2)
            return false;
        selector = popped;
    } else if (!instruction_value(c->s, c->in, 1, &selector)) {
        return false;
    }
    return check_data(c, (uint16_t)selector, to->reg.value == ZYDIS_REGISTER_SS,
                      name_of(to->reg.value));
}

/* CS by a far jump or return. Call and task gates are not followed. */
static bool check_code(struct raise_context *c, uint16_t selector, bool is_return)
{
    unsigned cpl = snapshot_cpl(c->s);
    struct descriptor d = look(c, selector);

    if (d.state != DESCRIPTOR_GOOD)
        return refuse_state(c, &d, "CS");
    if (!d.segment)
        return d.type == TYPE_LDT && refuse(c, EXCEPTION_GP, selector, "CS", "is an LDT");
    if (!descriptor_is_code(&d))
        return refuse(c, EXCEPTION_GP, selector, "CS", "is a data segment");
    if (is_return && (selector & 3) < cpl)
        return refuse(c, EXCEPTION_GP, selector, "CS", "returns to a higher privilege");
    if (!is_return && !descriptor_is_conforming(&d) && d.dpl != cpl)
        return refuse(c, EXCEPTION_GP, selector, "CS", "is of another privilege");
    if (snapshot_is_long(c->s) && d.is_long && d.big)
        return refuse(c, EXCEPTION_GP, selector, "CS", "has both L and D set");
    return !d.present &&
           refuse(c, EXCEPTION_NP, selector, "CS", "is not present (bit 47 is clear)");
}

/* RETF and IRET: the frame on the stack, words of the operand's size. */
static bool check_return(struct raise_context *c, bool interrupt)
{
    unsigned word = c->in->i.operand_width / 8;
    unsigned words = interrupt ? (snapshot_mode(c->s) == SNAPSHOT_LONG ? 5 : 3) : 2;
    const struct kvm_segment *ss = &c->s->sregs.ss;
    struct instruction_access a = {.segment = ss,
                                   .offset = c->s->regs.rsp,
                                   .linear = snapshot_linear_rsp(c->s),
                                   .size = word * words,
                                   .access = WALK_READ,
                                   .stack = true};
    uint64_t rip = 0, selector = 0;

    if (snapshot_stack_bits(c->s) < 64)
        a.offset &= (UINT64_C(1) << snapshot_stack_bits(c->s)) - 1;
    if (word == 0 || word > 8)
        return false;
    if (raise_check_access(c, &a))
        return true;
    if (!snapshot_is_protected(c->s) || walk_read(c->s, a.linear, &rip, word) < word ||
        walk_read(c->s, a.linear + word, &selector, word) < word)
        return false;
    if (check_code(c, (uint16_t)selector, true))
        return true;
    return snapshot_mode(c->s) == SNAPSHOT_LONG && !snapshot_is_canonical(c->s, rip) &&
           exception_set(c->e, EXCEPTION_GP, 0, "a return to 0x%lx, which is not canonical", rip);
}

/* Near branches in 64-bit code to an address that is not canonical. */
static bool check_near(struct raise_context *c)
{
    uint64_t target = 0;
    bool known;

    if (snapshot_mode(c->s) != SNAPSHOT_LONG ||
        c->in->operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
        return false;
    if (c->in->i.mnemonic == ZYDIS_MNEMONIC_RET)
        known = walk_read(c->s, snapshot_linear_rsp(c->s), &target, 8) == 8;
    else
        known = instruction_value(c->s, c->in, 0, &target);
    return known && !snapshot_is_canonical(c->s, target) &&
           exception_set(c->e, EXCEPTION_GP, 0, "a branch to 0x%lx, which is not canonical",
                         target);
}

bool raise_check_far(struct raise_context *c)
{
    const ZydisDecodedOperand *to = &c->in->operands[0];
    bool is_far = c->in->i.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
    struct instruction_access a;
    uint16_t selector;

    switch (c->in->i.mnemonic) {
    case ZYDIS_MNEMONIC_IRET:
    case ZYDIS_MNEMONIC_IRETD:
    case ZYDIS_MNEMONIC_IRETQ:
        return check_return(c, true);
    case ZYDIS_MNEMONIC_RET:
        return is_far ? check_return(c, false) : check_near(c);
    case ZYDIS_MNEMONIC_JMP:
    case ZYDIS_MNEMONIC_CALL:
        if (!is_far)
            return check_near(c);
        if (!snapshot_is_protected(c->s))
            return false;
        if (to->type == ZYDIS_OPERAND_TYPE_POINTER)
            return check_code(c, to->ptr.segment, false);
        return instruction_access(c->s, c->in, 0, &a) && a.size > 2 &&
               walk_read(c->s, a.linear + a.size - 2, &selector, 2) == 2 &&
               check_code(c, selector, false);
    default:
        return false;
    }
}
