/* Tripwires at the handlers; see tripwire.h. */
#include "watch/postmortem/tripwire.h"

#include <string.h>

#include "watch/explain/fault/deliver.h"
#include "watch/explain/fault/raise.h"

/* out %al, $TRIPWIRE_PORT */
static const uint8_t wire_code[TRIPWIRE_BYTES] = {0xe6, TRIPWIRE_PORT};

static bool overlaps(const struct tripwires *t, const uint8_t *at)
{
    for (unsigned i = 0; i < t->count; i++)
        if (at + TRIPWIRE_BYTES > t->wires[i].at && at < t->wires[i].at + TRIPWIRE_BYTES)
            return true;
    return false;
}

static void add(struct tripwires *t, const struct snapshot *s, const struct memory *memory,
                const struct gate *gate, gva_t handler)
{
    struct walk w = walk_as(s, memory, handler, WALK_FETCH, false);
    uint8_t *at = w.mapped ? memory_at(memory, w.gpa, TRIPWIRE_BYTES) : NULL;

    if (at != NULL && !overlaps(t, at))
        t->wires[t->count++] = (struct tripwire){
            .vector = gate->vector, .offset = gate->offset, .linear = handler, .at = at};
}

/* A gate that some interrupt could go through; whether there is a stack for it is another matter.
 */
static void add_gate(struct tripwires *t, const struct snapshot *s, const struct memory *memory,
                     unsigned vector)
{
    struct gate gate = gate_look(s, memory, vector);
    struct descriptor code;

    if (!gate.inside || !gate.readable || !gate.present || gate.segment)
        return;
    code = descriptor_look(s, memory, gate.selector);
    if (code.state == DESCRIPTOR_GOOD && descriptor_is_code(&code))
        add(t, s, memory, &gate,
            snapshot_is_long(s) ? gate.offset : (uint32_t)(code.base + gate.offset));
}

/* Reads the table; true if it is not the one of the last time. */
static bool has_changed(struct tripwires *t, const struct snapshot *s, const struct memory *memory)
{
    static uint8_t table[TRIPWIRE_TABLE];
    size_t size = (size_t)s->sregs.idt.limit + 1;
    bool same = t->idt.base == s->sregs.idt.base && t->idt.limit == s->sregs.idt.limit &&
                t->cr0 == s->sregs.cr0 && t->cr3 == s->sregs.cr3;

    size =
        walk_read(s, memory, s->sregs.idt.base, table, size < sizeof table ? size : sizeof table);
    same = same && size == t->table_size && memcmp(table, t->table, size) == 0;
    t->idt = s->sregs.idt;
    t->cr0 = s->sregs.cr0;
    t->cr3 = s->sregs.cr3;
    t->table_size = size;
    memcpy(t->table, table, size);
    return !same;
}

static void find_all(struct tripwires *t, const struct snapshot *s, const struct memory *memory)
{
    if (!has_changed(t, s, memory))
        return;
    t->count = 0;
    for (unsigned i = 0; i < TRIPWIRES_MAX && i * gate_size(s) < s->sregs.idt.limit; i++)
        add_gate(t, s, memory, i);
}

static void find_one(struct tripwires *t, const struct snapshot *s, const struct memory *memory,
                     const struct exception *e)
{
    struct delivery d;

    t->count = 0;
    t->table_size = 0; /* what was found in protected mode holds no longer */
    if (e->vector == EXCEPTION_NONE)
        return;
    d = deliver_exception(s, memory, e);
    if (d.possible)
        add(t, s, memory, &d.gate, d.handler);
}

void tripwires_lay(struct tripwires *t, const struct snapshot *s, const struct memory *memory)
{
    struct raise next = raise_look(s, memory);
    unsigned length = next.decoded ? next.instruction.i.length : INSTRUCTION_MAX;
    gva_t rip = snapshot_linear_rip(s);

    if (s->sregs.cr0 & CR0_PE)
        find_all(t, s, memory);
    else
        find_one(t, s, memory, &next.exception);
    for (unsigned i = 0; i < t->count; i++) {
        struct tripwire *wire = &t->wires[i];

        wire->laid = wire->linear + TRIPWIRE_BYTES <= rip || wire->linear >= rip + length;
        if (!wire->laid) /* the instruction about to be executed stays as it is */
            continue;
        memcpy(wire->was, wire->at, TRIPWIRE_BYTES);
        memcpy(wire->at, wire_code, TRIPWIRE_BYTES);
    }
}

void tripwires_lift(struct tripwires *t)
{
    for (unsigned i = 0; i < t->count; i++) {
        struct tripwire *wire = &t->wires[i];

        if (wire->laid && memcmp(wire->at, wire_code, TRIPWIRE_BYTES) == 0)
            memcpy(wire->at, wire->was, TRIPWIRE_BYTES);
    }
}

const struct tripwire *tripwires_find(const struct tripwires *t, uint64_t rip)
{
    for (unsigned i = 0; i < t->count; i++)
        if (t->wires[i].laid &&
            (rip == t->wires[i].offset || rip == t->wires[i].offset + TRIPWIRE_BYTES))
            return &t->wires[i];
    return NULL;
}
