/* The possible next addresses after an instruction; see flow.h. */
#include "vm/flow.h"

enum { BRANCH = 0x63, JALR = 0x67, JAL = 0x6f };

static uint32_t field(uint32_t bits, unsigned low, unsigned count)
{
    return bits >> low & ((1u << count) - 1);
}

static uint64_t sign_extend(uint32_t value, unsigned bits)
{
    return (uint64_t)(int64_t)((int32_t)(value << (32 - bits)) >> (32 - bits));
}

static uint64_t branch_offset(uint32_t b)
{
    return sign_extend(field(b, 31, 1) << 12 | field(b, 7, 1) << 11 | field(b, 25, 6) << 5 |
                           field(b, 8, 4) << 1,
                       13);
}

static uint64_t jal_offset(uint32_t b)
{
    return sign_extend(field(b, 31, 1) << 20 | field(b, 12, 8) << 12 | field(b, 20, 1) << 11 |
                           field(b, 21, 10) << 1,
                       21);
}

static uint64_t compressed_jump_offset(uint32_t b)
{
    return sign_extend(field(b, 12, 1) << 11 | field(b, 8, 1) << 10 | field(b, 9, 2) << 8 |
                           field(b, 6, 1) << 7 | field(b, 7, 1) << 6 | field(b, 2, 1) << 5 |
                           field(b, 11, 1) << 4 | field(b, 3, 3) << 1,
                       12);
}

static uint64_t compressed_branch_offset(uint32_t b)
{
    return sign_extend(field(b, 12, 1) << 8 | field(b, 5, 2) << 6 | field(b, 2, 1) << 5 |
                           field(b, 10, 2) << 3 | field(b, 3, 2) << 1,
                       9);
}

static unsigned compressed(const struct flow_state *s, uint32_t b, uint64_t next[FLOW_NEXT_MAX])
{
    unsigned quadrant = b & 3, funct3 = field(b, 13, 3), rs1 = field(b, 7, 5);

    if (quadrant == 1 && funct3 == 5) { /* c.j */
        next[0] = s->pc + compressed_jump_offset(b);
    } else if (quadrant == 1 && funct3 > 5) { /* c.beqz, c.bnez */
        next[1] = s->pc + compressed_branch_offset(b);
        return 2;
    } else if (quadrant == 2 && funct3 == 4 && field(b, 2, 5) == 0) { /* c.jr, c.jalr, c.ebreak */
        next[0] = rs1 != 0 ? s->x[rs1] & ~1ul : s->vstvec & ~3ul;
    }
    return 1;
}

unsigned flow_next(const struct flow_state *s, const struct insn *insn,
                   uint64_t next[FLOW_NEXT_MAX])
{
    uint32_t b = insn->bits;

    next[0] = s->pc + insn->length;
    if (insn->length == 2)
        return compressed(s, b, next);
    switch (b & 0x7f) {
    case BRANCH:
        next[1] = s->pc + branch_offset(b);
        return 2;
    case JAL:
        next[0] = s->pc + jal_offset(b);
        return 1;
    case JALR:
        next[0] = (s->x[field(b, 15, 5)] + sign_extend(field(b, 20, 12), 12)) & ~1ul;
        return 1;
    default:
        break;
    }
    if (insn->kind == INSN_SRET && s->supervisor)
        next[0] = s->vsepc;
    else if (insn->kind == INSN_EBREAK || (insn->kind == INSN_ECALL && !s->supervisor))
        next[0] = s->vstvec & ~3ul;
    return 1;
}
