/* The exception of an instruction: fetch, decoding, privilege, arithmetic; see raise.h. */
#include "watch/explain/fault/raise.h"

#include <stdio.h>

#define CR0_EM (UINT64_C(1) << 2)
#define CR0_TS (UINT64_C(1) << 3)

static bool refuse(struct raise_context *c, int vector, const char *why)
{
    return exception_set(c->e, vector, 0, "%s", why);
}

/* Fetches up to 15 bytes; `cut` is the exception at the byte after them. */
static unsigned fetch(struct raise_context *c, uint8_t *bytes, struct exception *cut)
{
    const struct snapshot *s = c->s;
    unsigned count = 0;

    cut->vector = EXCEPTION_NONE;
    while (count < INSTRUCTION_MAX) {
        uint64_t rip = s->regs.rip + count;
        gva_t linear = snapshot_linear(s, &s->sregs.cs, rip);
        struct walk w = walk_address(s, linear, WALK_FETCH);

        if (snapshot_mode(s) != SNAPSHOT_LONG && rip > s->sregs.cs.limit) {
            exception_set(cut, EXCEPTION_GP, 0, "RIP 0x%lx is beyond the code segment (limit 0x%x)",
                          rip, s->sregs.cs.limit);
            break;
        }
        if (w.result != WALK_OK) {
            exception_set_walk(cut, &w, false);
            break;
        }
        if (!memory_read(s->memory, w.gpa, &bytes[count], 1)) {
            c->r->outside = true;
            c->r->outside_at = w.gpa;
            break;
        }
        count++;
    }
    return count;
}

/* True if there is no instruction to execute; the exception (or the address outside RAM) is set. */
static bool cannot_decode(struct raise_context *c)
{
    uint8_t bytes[INSTRUCTION_MAX];
    struct exception cut;
    unsigned count = fetch(c, bytes, &cut);
    enum instruction_error error;

    if (count == 0) {
        if (!c->r->outside)
            c->r->exception = cut;
        return true;
    }
    error = instruction_decode(c->s, bytes, count, &c->r->instruction);
    if (error == INSTRUCTION_CUT && count < INSTRUCTION_MAX) {
        if (!c->r->outside)
            c->r->exception = cut;
        return true;
    }
    c->r->outside = false; /* that byte is behind the instruction: not reached */
    if (error != INSTRUCTION_GOOD)
        return exception_set(c->e, EXCEPTION_UD, 0,
                             "the bytes %02x %02x %02x are not an instruction", bytes[0],
                             count > 1 ? bytes[1] : 0, count > 2 ? bytes[2] : 0);
    c->r->decoded = true;
    instruction_text(&c->r->instruction, c->s->regs.rip, c->r->text, sizeof c->r->text);
    return false;
}

static bool check_undefined(struct raise_context *c)
{
    switch (c->in->i.mnemonic) {
    case ZYDIS_MNEMONIC_UD0:
    case ZYDIS_MNEMONIC_UD1:
    case ZYDIS_MNEMONIC_UD2:
        return refuse(c, EXCEPTION_UD, "an instruction that always raises #UD");
    case ZYDIS_MNEMONIC_SYSCALL:
    case ZYDIS_MNEMONIC_SYSRET:
        return !(c->s->sregs.efer & EFER_SCE) && refuse(c, EXCEPTION_UD, "EFER.SCE is clear");
    default:
        return false;
    }
}

/* x87, MMX and SSE need CR0 and CR4 to allow them (SDM volume 3, 2.5 and 13.1). */
static bool check_available(struct raise_context *c)
{
    const struct kvm_sregs *sregs = &c->s->sregs;
    bool x87 = c->in->i.meta.isa_set == ZYDIS_ISA_SET_X87;
    bool sse = false;

    for (unsigned i = 0; i < c->in->i.operand_count; i++) {
        const ZydisDecodedOperand *o = &c->in->operands[i];

        sse |= o->type == ZYDIS_OPERAND_TYPE_REGISTER &&
               ZydisRegisterGetClass(o->reg.value) == ZYDIS_REGCLASS_XMM;
    }
    if (!x87 && !sse)
        return false;
    if (sse && (sregs->cr0 & CR0_EM))
        return refuse(c, EXCEPTION_UD, "SSE with CR0.EM (bit 2) set");
    if (sse && !(sregs->cr4 & CR4_OSFXSR))
        return refuse(c, EXCEPTION_UD, "SSE with CR4.OSFXSR (bit 9) clear");
    if (x87 && (sregs->cr0 & CR0_EM))
        return refuse(c, EXCEPTION_NM, "x87 with CR0.EM (bit 2) set");
    return (sregs->cr0 & CR0_TS) && refuse(c, EXCEPTION_NM, "the FPU with CR0.TS (bit 3) set");
}

static unsigned io_privilege(const struct snapshot *s)
{
    return (unsigned)(s->regs.rflags >> 12) & 3;
}

/* Instructions that level 3 may execute if IOPL allows it. (The I/O bitmap of the TSS is ignored.)
 */
static bool needs_iopl(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_CLI:
    case ZYDIS_MNEMONIC_STI:
    case ZYDIS_MNEMONIC_IN:
    case ZYDIS_MNEMONIC_OUT:
    case ZYDIS_MNEMONIC_INSB:
    case ZYDIS_MNEMONIC_INSW:
    case ZYDIS_MNEMONIC_INSD:
    case ZYDIS_MNEMONIC_OUTSB:
    case ZYDIS_MNEMONIC_OUTSW:
    case ZYDIS_MNEMONIC_OUTSD:
        return true;
    default:
        return false;
    }
}

static bool check_privilege(struct raise_context *c)
{
    unsigned cpl = snapshot_cpl(c->s);

    if (needs_iopl(c->in->i.mnemonic))
        return cpl > io_privilege(c->s) &&
               exception_set(c->e, EXCEPTION_GP, 0, "an I/O instruction at level %u, IOPL is %u",
                             cpl, io_privilege(c->s));
    return cpl > 0 && (c->in->i.attributes & ZYDIS_ATTRIB_IS_PRIVILEGED) &&
           exception_set(c->e, EXCEPTION_GP, 0, "a privileged instruction at level %u", cpl);
}

/* The quotient must fit into half the dividend. */
static bool quotient_fits(const struct snapshot *s, unsigned bits, bool is_signed, uint64_t divisor)
{
    uint64_t mask = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
    unsigned __int128 high = bits == 8 ? s->regs.rax >> 8 & 0xff : s->regs.rdx & mask;
    unsigned __int128 dividend = high << bits | (s->regs.rax & mask);
    __int128 numerator, denominator, quotient;

    if (!is_signed)
        return high < (divisor & mask);
    numerator = (__int128)(dividend << (128 - 2 * bits)) >> (128 - 2 * bits);
    denominator = (int64_t)(divisor << (64 - bits)) >> (64 - bits);
    if (numerator == (__int128)((unsigned __int128)1 << 127)) /* too large for any 64-bit divisor */
        return false;
    quotient = numerator / denominator;
    return quotient >= -((__int128)1 << (bits - 1)) && quotient < (__int128)1 << (bits - 1);
}

static bool check_arithmetic(struct raise_context *c)
{
    bool is_signed = c->in->i.mnemonic == ZYDIS_MNEMONIC_IDIV;
    unsigned bits = c->in->operands[0].size;
    uint64_t divisor;

    if (!is_signed && c->in->i.mnemonic != ZYDIS_MNEMONIC_DIV)
        return false;
    if (!instruction_value(c->s, c->in, 0, &divisor))
        return false;
    if (divisor == 0)
        return refuse(c, EXCEPTION_DE, "division by zero");
    return !quotient_fits(c->s, bits, is_signed, divisor) &&
           exception_set(c->e, EXCEPTION_DE, 0, "the quotient does not fit into %u bits", bits);
}

static bool check_software(struct raise_context *c)
{

    switch (c->in->i.mnemonic) {
    case ZYDIS_MNEMONIC_INT3:
        exception_set(c->e, EXCEPTION_BP, 0, "int3");
        break;
    case ZYDIS_MNEMONIC_INT1:
        return exception_set(c->e, EXCEPTION_DB, 0, "int1");
    case ZYDIS_MNEMONIC_INTO:
        if (!(c->s->regs.rflags & 1u << 11))
            return false;
        exception_set(c->e, EXCEPTION_OF, 0, "into with OF set");
        break;
    case ZYDIS_MNEMONIC_INT:
        exception_set(c->e, (int)(c->in->operands[0].imm.value.u & 0xff), 0, "int $0x%x",
                      (unsigned)(c->in->operands[0].imm.value.u & 0xff));
        break;
    default:
        return false;
    }
    c->e->software = true;
    return true;
}

struct raise raise_look(const struct snapshot *s)
{
    static bool (*const checks[])(struct raise_context *) = {
        check_undefined,  check_available,     check_privilege, raise_check_control,
        raise_check_msr,  raise_check_tables,  check_software,  raise_check_operands,
        check_arithmetic, raise_check_segment, raise_check_far,
    };
    struct raise r = {.exception = {.vector = EXCEPTION_NONE}};
    struct raise_context c = {.s = s, .r = &r, .e = &r.exception, .in = &r.instruction};

    if (cannot_decode(&c))
        return r;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        if (checks[i](&c))
            return r;
    return r;
}
