/* Decodes instructions; see insn.h. Opcode tables: Unprivileged ISA 20240411, chapters 34 (RV32/64G
 * listings), 26 (C) and 27 (Zcb). */
#include "vm/insn.h"

enum opcode {
    OP_LOAD = 0x03,
    OP_LOAD_FP = 0x07,
    OP_MISC_MEM = 0x0f,
    OP_STORE = 0x23,
    OP_STORE_FP = 0x27,
    OP_AMO = 0x2f,
    OP_SYSTEM = 0x73
};

static uint32_t field(uint32_t bits, unsigned low, unsigned count)
{
    return bits >> low & ((1u << count) - 1);
}

static int32_t sign_extend(uint32_t value, unsigned bits)
{
    return (int32_t)(value << (32 - bits)) >> (32 - bits);
}

/* ---- 32-bit instructions ---- */

/* funct3 of a load: 0 to 3 signed, 4 to 6 unsigned. */
static void decode_load(struct insn *i, uint32_t bits)
{
    unsigned funct3 = field(bits, 12, 3);

    if (funct3 == 7)
        return;
    i->kind = INSN_LOAD;
    i->width = (uint8_t)(1u << (funct3 & 3));
    i->sign = funct3 < 4;
    i->offset = sign_extend(field(bits, 20, 12), 12);
}

static int32_t store_offset(uint32_t bits)
{
    return sign_extend(field(bits, 25, 7) << 5 | field(bits, 7, 5), 12);
}

static void decode_store(struct insn *i, uint32_t bits)
{
    unsigned funct3 = field(bits, 12, 3);

    if (funct3 > 3)
        return;
    i->kind = INSN_STORE;
    i->width = (uint8_t)(1u << funct3);
    i->offset = store_offset(bits);
}

/* funct3 1 to 3: half, single, double; 0 and 4 to 7 are the vector unit's or quad. */
static void decode_fp(struct insn *i, uint32_t bits, bool store)
{
    unsigned funct3 = field(bits, 12, 3);

    if (funct3 < 1 || funct3 > 3)
        return;
    i->kind = store ? INSN_FP_STORE : INSN_FP_LOAD;
    i->width = (uint8_t)(1u << funct3);
    i->offset = store ? store_offset(bits) : sign_extend(field(bits, 20, 12), 12);
}

static void decode_amo(struct insn *i, uint32_t bits)
{
    unsigned funct3 = field(bits, 12, 3), funct5 = field(bits, 27, 5);

    if (funct3 > 3) /* 0 and 1 are byte and half (Zabha) */
        return;
    i->kind = funct5 == 2 ? INSN_LR : funct5 == 3 ? INSN_SC : INSN_AMO;
    i->width = (uint8_t)(1u << funct3);
    i->funct = (uint8_t)funct5;
}

static enum insn_kind privileged_kind(uint32_t bits)
{
    unsigned funct7 = field(bits, 25, 7);

    switch (bits) {
    case 0x00000073:
        return INSN_ECALL;
    case 0x00100073:
        return INSN_EBREAK;
    case 0x10200073:
        return INSN_SRET;
    case 0x10500073:
        return INSN_WFI;
    case 0x00d00073:
    case 0x01d00073:
        return INSN_WRS;
    default:
        break;
    }
    switch (funct7) {
    case 0x09: /* sfence.vma */
    case 0x0b: /* sinval.vma */
    case 0x0c: /* sfence.w.inval, sfence.inval.ir */
    case 0x11: /* hfence.vvma */
    case 0x13: /* hinval.vvma */
    case 0x31: /* hfence.gvma */
    case 0x33: /* hinval.gvma */
        return field(bits, 7, 5) == 0 ? INSN_FENCE_VMA : INSN_OTHER;
    default:
        return INSN_OTHER;
    }
}

/* hlv, hlvx and hsv: funct7 0110xxS, where xx is the width and S a store. */
static void decode_hypervisor_access(struct insn *i, uint32_t bits)
{
    unsigned funct7 = field(bits, 25, 7);

    if (funct7 >> 3 != 6)
        return;
    i->kind = INSN_HLS;
    i->width = (uint8_t)(1u << (funct7 >> 1 & 3));
}

static void decode_system(struct insn *i, uint32_t bits)
{
    unsigned funct3 = field(bits, 12, 3);

    i->funct = (uint8_t)funct3;
    if (funct3 == 0) {
        i->kind = privileged_kind(bits);
    } else if (funct3 == 4) {
        decode_hypervisor_access(i, bits);
    } else {
        i->kind = INSN_CSR;
        i->csr = (uint16_t)field(bits, 20, 12);
    }
}

static void decode_misc_mem(struct insn *i, uint32_t bits)
{
    if (field(bits, 12, 3) != 2 || field(bits, 7, 5) != 0 || field(bits, 20, 12) > 4 ||
        field(bits, 20, 12) == 3)
        return;
    i->kind = INSN_CBO;
    i->funct = (uint8_t)field(bits, 20, 12);
}

static struct insn decode32(uint32_t bits)
{
    struct insn i = {.bits = bits,
                     .length = 4,
                     .rd = (uint8_t)field(bits, 7, 5),
                     .rs1 = (uint8_t)field(bits, 15, 5),
                     .rs2 = (uint8_t)field(bits, 20, 5)};

    switch (field(bits, 0, 7)) {
    case OP_LOAD:
        decode_load(&i, bits);
        break;
    case OP_STORE:
        decode_store(&i, bits);
        break;
    case OP_LOAD_FP:
    case OP_STORE_FP:
        decode_fp(&i, bits, field(bits, 0, 7) == OP_STORE_FP);
        break;
    case OP_AMO:
        decode_amo(&i, bits);
        break;
    case OP_SYSTEM:
        decode_system(&i, bits);
        break;
    case OP_MISC_MEM:
        decode_misc_mem(&i, bits);
        break;
    default:
        break;
    }
    return i;
}

/* ---- Compressed instructions ---- */

/* uimm[5:3] and uimm[7:6], for doubles in quadrant 0. */
static int32_t offset_double(uint32_t bits)
{
    return (int32_t)(field(bits, 10, 3) << 3 | field(bits, 5, 2) << 6);
}

/* uimm[5:3], uimm[2], uimm[6], for words in quadrant 0. */
static int32_t offset_word(uint32_t bits)
{
    return (int32_t)(field(bits, 10, 3) << 3 | field(bits, 6, 1) << 2 | field(bits, 5, 1) << 6);
}

/* Fills in a memory instruction, as described in the tables below. */
static void set(struct insn *i, enum insn_kind kind, unsigned width, bool sign, int32_t offset)
{
    i->kind = kind;
    i->width = (uint8_t)width;
    i->sign = sign;
    i->offset = offset;
}

/* Zcb: funct3 4 of quadrant 0; c.lbu, c.lhu, c.lh, c.sb, c.sh. */
static void decode_zcb(struct insn *i, uint32_t bits)
{
    int32_t byte_offset = (int32_t)(field(bits, 6, 1) | field(bits, 5, 1) << 1);
    int32_t half_offset = (int32_t)(field(bits, 5, 1) << 1);

    switch (field(bits, 10, 3)) {
    case 0:
        set(i, INSN_LOAD, 1, false, byte_offset);
        break;
    case 1:
        set(i, INSN_LOAD, 2, field(bits, 6, 1) != 0, half_offset);
        break;
    case 2:
        set(i, INSN_STORE, 1, false, byte_offset);
        break;
    case 3:
        if (field(bits, 6, 1) == 0)
            set(i, INSN_STORE, 2, false, half_offset);
        break;
    default:
        break;
    }
}

static void decode_quadrant0(struct insn *i, uint32_t bits)
{
    i->rs1 = (uint8_t)(8 + field(bits, 7, 3));
    i->rd = i->rs2 = (uint8_t)(8 + field(bits, 2, 3));
    switch (field(bits, 13, 3)) {
    case 1:
        set(i, INSN_FP_LOAD, 8, false, offset_double(bits));
        break;
    case 2:
        set(i, INSN_LOAD, 4, true, offset_word(bits));
        break;
    case 3:
        set(i, INSN_LOAD, 8, true, offset_double(bits));
        break;
    case 4:
        decode_zcb(i, bits);
        break;
    case 5:
        set(i, INSN_FP_STORE, 8, false, offset_double(bits));
        break;
    case 6:
        set(i, INSN_STORE, 4, false, offset_word(bits));
        break;
    case 7:
        set(i, INSN_STORE, 8, false, offset_double(bits));
        break;
    default:
        break;
    }
}

/* Loads and stores relative to the stack pointer. */
static void decode_quadrant2(struct insn *i, uint32_t bits)
{
    int32_t load8 =
        (int32_t)(field(bits, 12, 1) << 5 | field(bits, 5, 2) << 3 | field(bits, 2, 3) << 6);
    int32_t load4 =
        (int32_t)(field(bits, 12, 1) << 5 | field(bits, 4, 3) << 2 | field(bits, 2, 2) << 6);
    int32_t store8 = (int32_t)(field(bits, 10, 3) << 3 | field(bits, 7, 3) << 6);
    int32_t store4 = (int32_t)(field(bits, 9, 4) << 2 | field(bits, 7, 2) << 6);

    i->rs1 = 2;
    i->rd = (uint8_t)field(bits, 7, 5);
    i->rs2 = (uint8_t)field(bits, 2, 5);
    switch (field(bits, 13, 3)) {
    case 1:
        set(i, INSN_FP_LOAD, 8, false, load8);
        break;
    case 2:
        if (i->rd != 0) /* rd = 0 is reserved */
            set(i, INSN_LOAD, 4, true, load4);
        break;
    case 3:
        if (i->rd != 0)
            set(i, INSN_LOAD, 8, true, load8);
        break;
    case 4:
        if (bits == 0x9002)
            i->kind = INSN_EBREAK;
        break;
    case 5:
        set(i, INSN_FP_STORE, 8, false, store8);
        break;
    case 6:
        set(i, INSN_STORE, 4, false, store4);
        break;
    case 7:
        set(i, INSN_STORE, 8, false, store8);
        break;
    default:
        break;
    }
}

struct insn insn_decode(uint32_t bits)
{
    struct insn i = {.bits = bits & 0xffff, .length = 2};

    switch (bits & 3) {
    case 0:
        decode_quadrant0(&i, bits & 0xffff);
        return i;
    case 1: /* arithmetic and jumps: nothing that touches memory */
        return i;
    case 2:
        decode_quadrant2(&i, bits & 0xffff);
        return i;
    default:
        return decode32(bits);
    }
}
