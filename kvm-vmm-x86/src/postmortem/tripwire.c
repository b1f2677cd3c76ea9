/* Tripwires at the handlers; see tripwire.h. */
#include "postmortem/tripwire.h"

#include <string.h>

#include "explain/fault/deliver.h"
#include "explain/fault/raise.h"

/* out %al, $TRIPWIRE_PORT */
static const uint8_t wire_code[TRIPWIRE_BYTES] = {0xe6, TRIPWIRE_PORT};

static bool is_laid(const struct tripwires *t, const uint8_t *at)
{
    for (unsigned i = 0; i < t->count; i++)
        if (at + TRIPWIRE_BYTES > t->wires[i].at && at < t->wires[i].at + TRIPWIRE_BYTES)
            return true;
    return false;
}

static void lay_one(struct tripwires *t, const struct snapshot *s, const struct memory *memory,
                    unsigned vector, unsigned length)
{
    struct exception e = {.vector = (int)vector};
    struct delivery d = deliver_exception(s, memory, &e);
    gva_t rip = snapshot_linear_rip(s);
    struct walk w;
    uint8_t *at;

    if (!d.possible ||
        (d.handler + TRIPWIRE_BYTES > rip && d.handler < rip + length)) /* it must stay as it is */
        return;
    w = walk_as(s, memory, d.handler, WALK_FETCH, false);
    at = w.mapped ? memory_at(memory, w.gpa, TRIPWIRE_BYTES) : NULL;
    if (at == NULL || is_laid(t, at))
        return;
    t->wires[t->count] = (struct tripwire){.vector = vector, .offset = d.gate.offset, .at = at};
    memcpy(t->wires[t->count].was, at, TRIPWIRE_BYTES);
    memcpy(at, wire_code, TRIPWIRE_BYTES);
    t->count++;
}

void tripwires_lay(struct tripwires *t, const struct snapshot *s, const struct memory *memory)
{
    struct raise next = raise_look(s, memory);
    unsigned length = next.decoded ? next.instruction.i.length : INSTRUCTION_MAX;

    t->count = 0;
    if (!(s->sregs.cr0 & CR0_PE)) {
        if (next.exception.vector != EXCEPTION_NONE)
            lay_one(t, s, memory, (unsigned)next.exception.vector, length);
        return;
    }
    for (unsigned i = 0; i < TRIPWIRES_MAX && i * gate_size(s) < s->sregs.idt.limit; i++)
        lay_one(t, s, memory, i, length);
}

void tripwires_lift(struct tripwires *t)
{
    while (t->count > 0) {
        struct tripwire *wire = &t->wires[--t->count];

        if (memcmp(wire->at, wire_code, TRIPWIRE_BYTES) == 0)
            memcpy(wire->at, wire->was, TRIPWIRE_BYTES);
    }
}

const struct tripwire *tripwires_find(const struct tripwires *t, uint64_t rip)
{
    for (unsigned i = 0; i < t->count; i++)
        if (rip == t->wires[i].offset || rip == t->wires[i].offset + TRIPWIRE_BYTES)
            return &t->wires[i];
    return NULL;
}
