/* Traps: instructions inserted into the guest's code; see traps.h. Opcodes: Intel SDM volume 2,
 * appendix A. */
#include "watch/gdb/traps.h"

#include <string.h>

#include "watch/explain/fault/instruction.h"
#include "watch/explain/walk.h"

static const uint8_t int3[] = {0xcc};
static const uint8_t port[] = {0xe6, TRAPS_PORT}; /* out %al, $imm8 */

static const uint8_t *code_of(enum trap_kind kind)
{
    return kind == TRAP_INT3 ? int3 : port;
}

enum trap_kind traps_kind(enum gdb_means means)
{
    return means == GDB_BY_INT3 ? TRAP_INT3 : means == GDB_BY_PORT ? TRAP_PORT : 0;
}

/* The number of traps below `at`. */
static unsigned below(const struct traps *traps, gpa_t at)
{
    unsigned low = 0, high = traps->count;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (traps->list[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool traps_covers(enum trap_kind kind, gpa_t from, gpa_t at)
{
    return at >= from && at - from < (unsigned)kind;
}

static bool crosses_page(gpa_t at, enum trap_kind kind)
{
    return at % PAGE_SIZE + (unsigned)kind > PAGE_SIZE;
}

bool traps_put(struct traps *traps, const struct memory *memory, gpa_t at, enum trap_kind kind)
{
    struct trap trap = {.at = at, .kind = kind};
    unsigned n = below(traps, at);
    struct trap *here = &traps->list[n];

    if (n < traps->count && traps_covers(kind, at, here->at))
        return here->at == at && here->kind == kind;
    if (traps->count == TRAPS_MAX || crosses_page(at, kind) ||
        (n > 0 && traps_covers(here[-1].kind, here[-1].at, at)) ||
        !memory_read(memory, at, trap.saved, kind) ||
        !memory_write(memory, at, code_of(kind), kind))
        return false;
    memmove(here + 1, here, (traps->count++ - n) * sizeof *here);
    *here = trap;
    return true;
}

const struct trap *traps_find(const struct traps *traps, const struct snapshot *s, gva_t at,
                              gpa_t *place)
{
    unsigned n;

    if (!walk_place(s, at, place))
        return NULL;
    n = below(traps, *place);
    return n < traps->count && traps->list[n].at == *place ? &traps->list[n] : NULL;
}

bool traps_clear(struct traps *traps, const struct memory *memory)
{
    bool untouched = true;

    while (traps->count > 0) {
        const struct trap *trap = &traps->list[--traps->count];
        uint8_t code[sizeof trap->saved];

        if (memory_read(memory, trap->at, code, trap->kind) &&
            memcmp(code, code_of(trap->kind), trap->kind) == 0)
            (void)!memory_write(memory, trap->at, trap->saved, trap->kind);
        else
            untouched = false;
    }
    return untouched;
}

/* The distance around an instruction in which jumps to it are searched. */
enum { REACH = 4096 };

static bool is_push(uint8_t opcode)
{
    return (opcode & 0xf8) == 0x50;
}

/* The target, relative to `code`, if a relative jump or call begins at `code`; 0: none does.
 * `wide`: the size of a long displacement in bytes. */
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

/* Takes every byte nearby for the beginning of an instruction: this finds all jumps, and some that
 * are not. */
static bool is_jumped_to(const struct snapshot *s, gva_t target)
{
    uint8_t code[2 * REACH + 8] = {0};
    gva_t from = target > REACH ? target - REACH : 0;
    unsigned wide = snapshot_code_bits(s) == 16 ? 2 : 4;
    size_t count = walk_read(s, from, code, 2 * REACH);

    for (size_t i = 0; i < count; i++) {
        int64_t jump = jump_from(code + i, wide);

        if (jump != 0 && from + i + (uint64_t)jump == target)
            return true;
    }
    return false;
}

/* Whether there are only zeroes: code may be loaded there later, over a trap. */
static bool is_empty(const uint8_t *code, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (code[i] != 0)
            return false;
    return true;
}

bool traps_port_fits(const struct snapshot *s, gva_t at, gpa_t place)
{
    struct walk walk = walk_as(s, at, WALK_FETCH, false);
    struct instruction instruction;
    uint8_t code[INSTRUCTION_MAX];
    size_t count = walk_read(s, at, code, sizeof code);

    if (is_empty(code, count) || crosses_page(place, TRAP_PORT) ||
        (walk.paging != WALK_OFF && walk.user_page) || snapshot_mode(s) == SNAPSHOT_VM86 ||
        instruction_decode(s, code, count, &instruction) != INSTRUCTION_GOOD)
        return false;
    return instruction.i.length >= TRAP_PORT || (is_push(code[0]) && !is_jumped_to(s, at + 1));
}

bool traps_locate(const struct snapshot *s, struct gdb_breakpoint *b)
{
    bool mapped = walk_place(s, b->address, &b->place);

    if (!mapped)
        b->place = UINT64_MAX;
    else if (!memory_read(s->memory, b->place, b->code, GDB_CODE_LENGTH))
        (void)!memory_read(s->memory, b->place, b->code, 1); /* the last byte of RAM */
    b->fits_port = mapped && traps_port_fits(s, b->address, b->place);
    return mapped;
}
