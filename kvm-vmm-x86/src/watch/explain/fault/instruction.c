/* An instruction and the values of its operands; see instruction.h. */
#include "watch/explain/fault/instruction.h"

#include <stdio.h>
#include <string.h>

#ifdef ZYDIS_DISASSEMBLER_H /* Zydis 4 */

static ZyanStatus decode(ZydisMachineMode mode, unsigned stack, const uint8_t *bytes, size_t size,
                         struct instruction *instruction)
{
    static const ZydisStackWidth widths[] = {ZYDIS_STACK_WIDTH_16, ZYDIS_STACK_WIDTH_32,
                                             ZYDIS_STACK_WIDTH_64};
    ZydisDecoder decoder;
    ZyanStatus status = ZydisDecoderInit(&decoder, mode, widths[stack]);

    if (ZYAN_SUCCESS(status))
        status =
            ZydisDecoderDecodeFull(&decoder, bytes, size, &instruction->i, instruction->operands);
    instruction->visible = ZYAN_SUCCESS(status) ? instruction->i.operand_count_visible : 0;
    return status;
}

static ZyanStatus format(const ZydisFormatter *formatter, const struct instruction *instruction,
                         char *text, size_t size, uint64_t rip)
{
    return ZydisFormatterFormatInstruction(formatter, &instruction->i, instruction->operands,
                                           (ZyanU8)instruction->visible, text, size, rip, NULL);
}

#else /* Zydis 3: the operands are in the instruction, and there is no count of visible ones */

static ZyanStatus decode(ZydisMachineMode mode, unsigned stack, const uint8_t *bytes, size_t size,
                         struct instruction *instruction)
{
    static const ZydisAddressWidth widths[] = {ZYDIS_ADDRESS_WIDTH_16, ZYDIS_ADDRESS_WIDTH_32,
                                               ZYDIS_ADDRESS_WIDTH_64};
    ZydisDecoder decoder;
    ZyanStatus status = ZydisDecoderInit(&decoder, mode, widths[stack]);

    if (ZYAN_SUCCESS(status))
        status = ZydisDecoderDecodeBuffer(&decoder, bytes, size, &instruction->i);
    instruction->visible = 0;
    if (!ZYAN_SUCCESS(status))
        return status;
    memcpy(instruction->operands, instruction->i.operands, sizeof instruction->operands);
    while (instruction->visible < instruction->i.operand_count &&
           instruction->operands[instruction->visible].visibility !=
               ZYDIS_OPERAND_VISIBILITY_HIDDEN)
        instruction->visible++;
    return status;
}

static ZyanStatus format(const ZydisFormatter *formatter, const struct instruction *instruction,
                         char *text, size_t size, uint64_t rip)
{
    return ZydisFormatterFormatInstruction(formatter, &instruction->i, text, size, rip);
}

#endif

enum instruction_error instruction_decode(const struct snapshot *s, const uint8_t *bytes,
                                          size_t size, struct instruction *instruction)
{
    static const ZydisMachineMode modes[] = {
        ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_MACHINE_MODE_LONG_64};
    unsigned code = snapshot_code_bits(s) / 32;
    ZydisMachineMode mode = modes[code];
    ZyanStatus status;

    if (snapshot_mode(s) == SNAPSHOT_REAL && code == 0)
        mode = ZYDIS_MACHINE_MODE_REAL_16;
    status = decode(mode, snapshot_stack_bits(s) / 32, bytes, size, instruction);
    if (status == ZYDIS_STATUS_NO_MORE_DATA)
        return INSTRUCTION_CUT;
    return ZYAN_SUCCESS(status) ? INSTRUCTION_GOOD : INSTRUCTION_INVALID;
}

bool instruction_at(const struct snapshot *s, gva_t at, struct instruction *instruction)
{
    uint8_t bytes[INSTRUCTION_MAX];
    size_t count = walk_read(s, at, bytes, sizeof bytes);

    return instruction_decode(s, bytes, count, instruction) == INSTRUCTION_GOOD;
}

void instruction_text(const struct instruction *instruction, uint64_t rip, char *text, size_t size)
{
    ZydisFormatter formatter;

    if (ZYAN_SUCCESS(ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_ATT)) &&
        ZYAN_SUCCESS(format(&formatter, instruction, text, size, rip)))
        return;
    snprintf(text, size, "?");
}

/* The order in which Zydis and the CPU number the registers. */
static uint64_t general(const struct snapshot *s, unsigned id)
{
    const struct kvm_regs *r = &s->regs;
    const uint64_t values[16] = {r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi,
                                 r->r8,  r->r9,  r->r10, r->r11, r->r12, r->r13, r->r14, r->r15};

    return id < 16 ? values[id] : 0;
}

/* The value of a general register, or of one of its parts; 0 for any other kind. */
static uint64_t value_of(const struct snapshot *s, const struct instruction *instruction,
                         ZydisRegister reg)
{
    ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
    unsigned width = ZydisRegisterGetWidth(ZYDIS_MACHINE_MODE_LONG_64, reg);
    uint64_t value;

    if (reg == ZYDIS_REGISTER_RIP || reg == ZYDIS_REGISTER_EIP || reg == ZYDIS_REGISTER_IP)
        return s->regs.rip + instruction->i.length;
    if (whole < ZYDIS_REGISTER_RAX || whole > ZYDIS_REGISTER_R15)
        return 0;
    value = general(s, (unsigned)(whole - ZYDIS_REGISTER_RAX));
    if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH)
        return value >> 8 & 0xff;
    return width >= 64 || width == 0 ? value : value & ((UINT64_C(1) << width) - 1);
}

static const struct kvm_segment *segment_of(const struct snapshot *s, ZydisRegister reg)
{
    switch (reg) {
    case ZYDIS_REGISTER_ES:
        return &s->sregs.es;
    case ZYDIS_REGISTER_CS:
        return &s->sregs.cs;
    case ZYDIS_REGISTER_SS:
        return &s->sregs.ss;
    case ZYDIS_REGISTER_FS:
        return &s->sregs.fs;
    case ZYDIS_REGISTER_GS:
        return &s->sregs.gs;
    default:
        return &s->sregs.ds;
    }
}

static bool is_stack_register(ZydisRegister reg)
{
    ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

    return whole == ZYDIS_REGISTER_RSP;
}

/* Hidden operands at the stack pointer are pushes and pops; a push writes below it. */
static bool is_push(const ZydisDecodedOperand *o)
{
    return o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN && is_stack_register(o->mem.base) &&
           (o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE);
}

/* Whether a memory operand is really accessed; some instructions only have its address. */
static bool touches_memory(const struct instruction *instruction)
{
    switch (instruction->i.mnemonic) {
    case ZYDIS_MNEMONIC_NOP:
    case ZYDIS_MNEMONIC_INVLPG:
    case ZYDIS_MNEMONIC_PREFETCH:
    case ZYDIS_MNEMONIC_PREFETCHW:
    case ZYDIS_MNEMONIC_PREFETCHNTA:
    case ZYDIS_MNEMONIC_PREFETCHT0:
    case ZYDIS_MNEMONIC_PREFETCHT1:
    case ZYDIS_MNEMONIC_PREFETCHT2:
    case ZYDIS_MNEMONIC_MASKMOVDQU:
    case ZYDIS_MNEMONIC_MASKMOVQ:
        return false;
    default:
        return true;
    }
}

static bool repeats_nothing(const struct snapshot *s, const struct instruction *instruction)
{
    static const ZydisRegister counters[] = {ZYDIS_REGISTER_CX, ZYDIS_REGISTER_ECX,
                                             ZYDIS_REGISTER_RCX};
    uint64_t repeated = ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE;

    return (instruction->i.attributes & repeated) &&
           value_of(s, instruction, counters[instruction->i.address_width / 32]) == 0;
}

bool instruction_access(const struct snapshot *s, const struct instruction *instruction,
                        unsigned index, struct instruction_access *access)
{
    const ZydisDecodedOperand *o = &instruction->operands[index];
    unsigned width = instruction->i.address_width;
    uint64_t offset;

    if (index >= instruction->i.operand_count || o->type != ZYDIS_OPERAND_TYPE_MEMORY ||
        o->mem.type != ZYDIS_MEMOP_TYPE_MEM || !touches_memory(instruction) ||
        repeats_nothing(s, instruction))
        return false;
    offset = value_of(s, instruction, o->mem.base) + (uint64_t)o->mem.disp.value;
    if (o->mem.index != ZYDIS_REGISTER_NONE)
        offset += value_of(s, instruction, o->mem.index) * o->mem.scale;
    if (is_push(o))
        offset -= o->size / 8;
    if (is_stack_register(o->mem.base) && o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
        width = snapshot_stack_bits(s);
    if (width < 64)
        offset &= (UINT64_C(1) << width) - 1;
    *access = (struct instruction_access){.segment = segment_of(s, o->mem.segment),
                                          .offset = offset,
                                          .size = o->size / 8,
                                          .stack = o->mem.segment == ZYDIS_REGISTER_SS,
                                          .access = WALK_READ};
    if (o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
        access->access = WALK_WRITE;
    access->linear = snapshot_linear(s, access->segment, offset);
    return true;
}

bool instruction_value(const struct snapshot *s, const struct instruction *instruction,
                       unsigned index, uint64_t *value)
{
    const ZydisDecodedOperand *o = &instruction->operands[index];
    struct instruction_access access;

    *value = 0;
    if (index >= instruction->visible)
        return false;
    switch (o->type) {
    case ZYDIS_OPERAND_TYPE_REGISTER:
        *value = value_of(s, instruction, o->reg.value);
        return true;
    case ZYDIS_OPERAND_TYPE_IMMEDIATE:
        *value = o->imm.value.u;
        return true;
    case ZYDIS_OPERAND_TYPE_MEMORY:
        return instruction_access(s, instruction, index, &access) && access.size <= sizeof *value &&
               walk_read(s, access.linear, value, access.size) == access.size;
    default:
        return false;
    }
}
