/* Instructions as text; see insn.h. */
#include "common/fmt.h"
#include "vm/insn.h"

const char *insn_register(unsigned index)
{
    static const char *const names[32] = {"zero", "ra", "sp",  "gp",  "tp", "t0", "t1", "t2",
                                          "s0",   "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
                                          "a6",   "a7", "s2",  "s3",  "s4", "s5", "s6", "s7",
                                          "s8",   "s9", "s10", "s11", "t3", "t4", "t5", "t6"};

    return names[index & 31];
}

/* The letter of a width: b h w d. */
static char letter(unsigned width)
{
    return width == 1 ? 'b' : width == 2 ? 'h' : width == 4 ? 'w' : 'd';
}

static const char *amo_name(unsigned funct5)
{
    switch (funct5) {
    case 0x00:
        return "amoadd";
    case 0x01:
        return "amoswap";
    case 0x04:
        return "amoxor";
    case 0x05:
        return "amocas";
    case 0x08:
        return "amoor";
    case 0x0c:
        return "amoand";
    case 0x10:
        return "amomin";
    case 0x14:
        return "amomax";
    case 0x18:
        return "amominu";
    case 0x1c:
        return "amomaxu";
    default:
        return "amo?";
    }
}

static void memory_text(const struct insn *i, char text[INSN_TEXT_SIZE])
{
    const char *base = insn_register(i->rs1);
    const char w = letter(i->width);

    switch (i->kind) {
    case INSN_LOAD:
        fmt_snprint(text, INSN_TEXT_SIZE, "l%c%s %s, %d(%s)", w,
                    i->sign || i->width == 8 ? "" : "u", insn_register(i->rd), i->offset, base);
        break;
    case INSN_STORE:
        fmt_snprint(text, INSN_TEXT_SIZE, "s%c %s, %d(%s)", w, insn_register(i->rs2), i->offset,
                    base);
        break;
    case INSN_FP_LOAD:
        fmt_snprint(text, INSN_TEXT_SIZE, "fl%c f%u, %d(%s)", w, i->rd, i->offset, base);
        break;
    case INSN_FP_STORE:
        fmt_snprint(text, INSN_TEXT_SIZE, "fs%c f%u, %d(%s)", w, i->rs2, i->offset, base);
        break;
    case INSN_LR:
        fmt_snprint(text, INSN_TEXT_SIZE, "lr.%c %s, (%s)", w, insn_register(i->rd), base);
        break;
    default:
        fmt_snprint(text, INSN_TEXT_SIZE, "%s.%c %s, %s, (%s)",
                    i->kind == INSN_SC ? "sc" : amo_name(i->funct), w, insn_register(i->rd),
                    insn_register(i->rs2), base);
        break;
    }
}

const char *insn_text(const struct insn *insn, char text[INSN_TEXT_SIZE])
{
    static const char *const names[INSN_KINDS] = {[INSN_ECALL] = "ecall",
                                                  [INSN_EBREAK] = "ebreak",
                                                  [INSN_WFI] = "wfi",
                                                  [INSN_SRET] = "sret",
                                                  [INSN_FENCE_VMA] = "sfence/hfence",
                                                  [INSN_HLS] = "hlv/hsv",
                                                  [INSN_CBO] = "cbo",
                                                  [INSN_WRS] = "wrs"};

    if (insn->kind >= INSN_LOAD && insn->kind <= INSN_AMO)
        memory_text(insn, text);
    else if (insn->kind == INSN_CSR)
        fmt_snprint(text, INSN_TEXT_SIZE, "csr%s%s %s, 0x%x, %s%u",
                    (insn->funct & 3) == 1   ? "rw"
                    : (insn->funct & 3) == 2 ? "rs"
                                             : "rc",
                    insn->funct & 4 ? "i" : "", insn_register(insn->rd), insn->csr,
                    insn->funct & 4 ? "" : "x", insn->rs1);
    else if (names[insn->kind] != NULL)
        fmt_snprint(text, INSN_TEXT_SIZE, "%s", names[insn->kind]);
    else
        fmt_snprint(text, INSN_TEXT_SIZE, insn->length == 2 ? ".half 0x%04x" : ".word 0x%08x",
                    insn->bits);
    return text;
}
