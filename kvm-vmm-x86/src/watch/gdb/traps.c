/* Planted instructions; see traps.h. */
#include "watch/gdb/traps.h"

#include <stddef.h>
#include <string.h>

static const uint8_t int3[] = {0xcc};
static const uint8_t port[] = {0xe6, TRAPS_PORT}; /* out %al, $imm8 */

static const uint8_t *code_of(enum trap_kind kind)
{
    return kind == TRAP_INT3 ? int3 : port;
}

bool traps_fit(gpa_t at, enum trap_kind kind)
{
    return at % PAGE_SIZE + (unsigned)kind <= PAGE_SIZE;
}

bool traps_put(struct traps *traps, const struct memory *memory, gpa_t at, enum trap_kind kind)
{
    struct trap trap = {.at = at, .kind = kind};

    if (traps->count == TRAPS_MAX || !traps_fit(at, kind))
        return false;
    for (unsigned i = 0; i < traps->count; i++) {
        const struct trap *other = &traps->list[i];

        if (at < other->at + (unsigned)other->kind && other->at < at + (unsigned)kind)
            return other->at == at && other->kind == kind;
    }
    if (!memory_read(memory, at, trap.saved, kind) ||
        !memory_write(memory, at, code_of(kind), kind))
        return false;
    traps->list[traps->count++] = trap;
    return true;
}

const struct trap *traps_at(const struct traps *traps, gpa_t at)
{
    for (unsigned i = 0; i < traps->count; i++)
        if (traps->list[i].at == at)
            return &traps->list[i];
    return NULL;
}

void traps_clear(struct traps *traps, const struct memory *memory)
{
    while (traps->count > 0) {
        const struct trap *trap = &traps->list[--traps->count];
        uint8_t *code = memory_at(memory, trap->at, trap->kind);

        if (code != NULL && memcmp(code, code_of(trap->kind), trap->kind) == 0)
            memcpy(code, trap->saved, trap->kind);
    }
}
