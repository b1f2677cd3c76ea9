/*
 * Faults of memory operands: segment limits and rights, alignment, pages; see raise.h. Intel SDM
 * volume 3, 5.3 (limits), 5.5 (types), 3.3.7.1 (canonical addresses); volume 2, 2.4 (alignment by
 * exception class).
 */
#include "watch/explain/fault/raise.h"

enum { TYPE_CODE = 8, TYPE_EXPAND_DOWN = 4, TYPE_READ_WRITE = 2 };

static const char *segment_name(const struct snapshot *s, const struct kvm_segment *segment)
{
    return segment == &s->sregs.cs   ? "CS"
           : segment == &s->sregs.ss ? "SS"
           : segment == &s->sregs.es ? "ES"
           : segment == &s->sregs.fs ? "FS"
           : segment == &s->sregs.gs ? "GS"
                                     : "DS";
}

static bool beyond_limit(const struct kvm_segment *segment, uint64_t offset, unsigned size)
{
    uint64_t last = offset + (size > 0 ? size - 1 : 0);
    uint64_t top = segment->db ? UINT32_MAX : UINT16_MAX;

    if (!(segment->type & TYPE_CODE) && (segment->type & TYPE_EXPAND_DOWN))
        return offset <= segment->limit || last > top;
    return last > segment->limit;
}

/* Segmentation before long mode; true with the exception set. */
static bool check_segment_rights(struct raise_context *c, const struct instruction_access *a)
{
    const struct kvm_segment *segment = a->segment;
    const char *name = segment_name(c->s, segment);
    bool code = segment->type & TYPE_CODE, flag = segment->type & TYPE_READ_WRITE;
    int vector = a->stack ? EXCEPTION_SS : EXCEPTION_GP;

    if (snapshot_is_protected(c->s)) {
        if (segment->unusable || !segment->present)
            return exception_set(c->e, vector, 0, "%s is null (selector 0x%x)", name,
                                 segment->selector);
        if (a->access == WALK_WRITE && (code || !flag))
            return exception_set(c->e, EXCEPTION_GP, 0, "a write through %s, which is %s", name,
                                 code ? "a code segment" : "read-only");
        if (a->access == WALK_READ && code && !flag)
            return exception_set(c->e, EXCEPTION_GP, 0, "a read through %s, which is execute-only",
                                 name);
    }
    return beyond_limit(segment, a->offset, a->size) &&
           exception_set(c->e, vector, 0, "%u bytes at %s:0x%lx, limit 0x%x", a->size, name,
                         a->offset, segment->limit);
}

bool raise_check_access(struct raise_context *c, const struct instruction_access *a)
{
    unsigned last = a->size > 0 ? a->size - 1 : 0;

    if (snapshot_mode(c->s) != SNAPSHOT_LONG && check_segment_rights(c, a))
        return true;
    for (unsigned i = 0; i <= 1; i++) { /* the first byte, then the last: maybe another page */
        struct walk w = walk_address(c->s, a->linear + (i == 0 ? 0 : last), a->access);

        if (w.result != WALK_OK)
            return exception_set_walk(c->e, &w, a->stack);
        if (!w.in_ram && !c->r->outside) {
            c->r->outside = true;
            c->r->outside_at = w.gpa;
        }
    }
    return false;
}

/* Legacy SSE requires aligned 16-byte operands, except for unaligned moves. */
static unsigned alignment_of(const struct instruction *in)
{
    switch (in->i.mnemonic) {
    case ZYDIS_MNEMONIC_MOVUPS:
    case ZYDIS_MNEMONIC_MOVUPD:
    case ZYDIS_MNEMONIC_MOVDQU:
    case ZYDIS_MNEMONIC_LDDQU:
    case ZYDIS_MNEMONIC_PCMPESTRI:
    case ZYDIS_MNEMONIC_PCMPESTRM:
    case ZYDIS_MNEMONIC_PCMPISTRI:
    case ZYDIS_MNEMONIC_PCMPISTRM:
        return 1;
    case ZYDIS_MNEMONIC_FXSAVE:
    case ZYDIS_MNEMONIC_FXSAVE64:
    case ZYDIS_MNEMONIC_FXRSTOR:
    case ZYDIS_MNEMONIC_FXRSTOR64:
    case ZYDIS_MNEMONIC_CMPXCHG16B:
        return 16;
    case ZYDIS_MNEMONIC_XSAVE:
    case ZYDIS_MNEMONIC_XRSTOR:
        return 64;
    default:
        break;
    }
    switch (in->i.meta.exception_class) {
    case ZYDIS_EXCEPTION_CLASS_SSE1:
    case ZYDIS_EXCEPTION_CLASS_SSE2:
    case ZYDIS_EXCEPTION_CLASS_SSE4:
        return 16;
    default:
        return 1;
    }
}

static bool misaligned(struct raise_context *c, const struct instruction_access *a)
{
    unsigned align = alignment_of(c->in);

    if (align == 1 || a->linear % align == 0 || (a->size < 16 && a->size != 0))
        return false;
    return exception_set(c->e, EXCEPTION_GP, 0, "%s of %u bytes at 0x%lx, not aligned to %u",
                         a->access == WALK_WRITE ? "write" : "read", a->size, a->linear, align);
}

bool raise_check_operands(struct raise_context *c)
{
    struct instruction_access a;

    for (unsigned i = 0; i < c->in->i.operand_count; i++)
        if (instruction_access(c->s, c->in, i, &a) &&
            (misaligned(c, &a) || raise_check_access(c, &a)))
            return true;
    return false;
}
