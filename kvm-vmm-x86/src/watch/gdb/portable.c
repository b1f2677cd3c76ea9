/* See portable.h. Opcodes: Intel SDM volume 2, appendix A. */
#include "watch/gdb/portable.h"

#include <string.h>

#include "watch/explain/fault/instruction.h"
#include "watch/explain/walk.h"
#include "watch/gdb/traps.h"

/* How far around an instruction jumps to it are looked for. */
enum { REACH = 4096 };

static bool is_push(uint8_t opcode)
{
    return (opcode & 0xf8) == 0x50;
}

/* Where the bytes at `code` would lead if a relative jump or call began there, counted from `code`;
 * 0: it is none. `wide` is how many bytes a long displacement has. */
static int64_t jump_from(const uint8_t *code, unsigned wide)
{
    bool two = code[0] == 0x0f && (code[1] & 0xf0) == 0x80;
    unsigned opcode = two ? 2 : 1;
    int32_t displacement;
    int16_t narrow;

    if (code[0] == 0xeb || (code[0] & 0xf0) == 0x70 || (code[0] & 0xfc) == 0xe0)
        return 2 + (int8_t)code[1];
    if (code[0] != 0xe8 && code[0] != 0xe9 && !two)
        return 0;
    memcpy(&displacement, code + opcode, sizeof displacement);
    memcpy(&narrow, code + opcode, sizeof narrow);
    return (int64_t)(opcode + wide) + (wide == 2 ? narrow : displacement);
}

/* Every byte nearby is taken for the beginning of an instruction: that finds all the jumps, and
 * some that are none. */
static bool is_jumped_to(const struct snapshot *s, const struct memory *memory, gva_t target)
{
    uint8_t code[2 * REACH + 8] = {0};
    gva_t from = target > REACH ? target - REACH : 0;
    unsigned wide = snapshot_code_bits(s) == 16 ? 2 : 4;
    size_t count = walk_read(s, memory, from, code, 2 * REACH);

    for (size_t i = 0; i < count; i++) {
        int64_t jump = jump_from(code + i, wide);

        if (jump != 0 && from + i + (uint64_t)jump == target)
            return true;
    }
    return false;
}

/* Where code will be loaded later, over whatever stands there then. */
static bool is_empty(const uint8_t *code, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (code[i] != 0)
            return false;
    return true;
}

bool portable_is(const struct snapshot *s, const struct memory *memory, gva_t at, gpa_t place)
{
    struct walk walk = walk_as(s, memory, at, WALK_FETCH, false);
    struct instruction instruction;
    uint8_t code[INSTRUCTION_MAX];
    size_t count = walk_read(s, memory, at, code, sizeof code);

    if (is_empty(code, count) || !traps_fit(place, TRAP_PORT) ||
        (walk.paging != WALK_OFF && walk.user_page) || snapshot_mode(s) == SNAPSHOT_VM86 ||
        instruction_decode(s, code, count, &instruction) != INSTRUCTION_GOOD)
        return false;
    return instruction.i.length >= TRAP_PORT ||
           (is_push(code[0]) && !is_jumped_to(s, memory, at + 1));
}
