/* Gates of the interrupt table; see gate.h. */
#include "watch/explain/fault/gate.h"

static unsigned size_of(const struct snapshot *s)
{
    if (!(s->sregs.cr0 & CR0_PE))
        return 4;
    return snapshot_is_long(s) ? 16 : 8;
}

static void decode(const struct snapshot *s, struct gate *g)
{
    if (!(s->sregs.cr0 & CR0_PE)) {
        g->offset = descriptor_field(g->raw, 0, 16);
        g->selector = (uint16_t)descriptor_field(g->raw, 16, 16);
        g->present = true;
        return;
    }
    g->offset = descriptor_field(g->raw, 0, 16) | descriptor_field(g->raw, 48, 16) << 16;
    g->selector = (uint16_t)descriptor_field(g->raw, 16, 16);
    g->type = (uint8_t)descriptor_field(g->raw, 40, 4);
    g->segment = descriptor_field(g->raw, 44, 1);
    g->dpl = (uint8_t)descriptor_field(g->raw, 45, 2);
    g->present = descriptor_field(g->raw, 47, 1);
    if (snapshot_is_long(s)) {
        g->offset |= descriptor_field(g->raw_high, 0, 32) << 32;
        g->ist = (uint8_t)descriptor_field(g->raw, 32, 3);
    } else if (g->type == TYPE_INTERRUPT16 || g->type == TYPE_TRAP16) {
        g->offset &= 0xffff;
    }
}

struct gate gate_look(const struct snapshot *s, unsigned vector)
{
    unsigned size = size_of(s);
    struct gate g = {.vector = vector, .at = s->sregs.idt.base + (gva_t)vector * size};
    uint64_t bytes[2] = {0, 0};

    g.inside = (vector + 1) * size - 1 <= s->sregs.idt.limit;
    g.walk = walk_as(s, g.at, WALK_READ, false);
    g.readable = walk_read(s, g.at, bytes, size) == size;
    g.raw = bytes[0];
    g.raw_high = bytes[1];
    if (g.readable)
        decode(s, &g);
    return g;
}

static bool gate_is_one(const struct gate *g)
{
    return (g->type >= TYPE_TASK_GATE && g->type <= TYPE_TRAP16) || g->type == TYPE_INTERRUPT ||
           g->type == TYPE_TRAP;
}

void gate_print(struct text *text, const struct snapshot *s, const struct gate *g)
{
    text_add(text, "[%u] at 0x%lx: ", g->vector, g->at);
    if (!g->inside) {
        text_add(text, "beyond the table (limit 0x%x)", s->sregs.idt.limit);
        return;
    }
    if (!g->readable) {
        text_add(text, "unreadable, %s", walk_words(&g->walk).text);
        return;
    }
    if (!(s->sregs.cr0 & CR0_PE)) {
        text_add(text, "%04x:%04x", g->selector, (unsigned)g->offset);
        return;
    }
    if (g->segment || !gate_is_one(g)) {
        text_add(text, "%016lx: not a gate (%stype 0x%x)", g->raw, g->segment ? "a segment, " : "",
                 g->type);
        return;
    }
    text_add(text, "%016lx: %s to 0x%x:0x%lx, DPL %u%s", g->raw, descriptor_type_name(g->type),
             g->selector, g->offset, g->dpl, g->present ? "" : ", NOT PRESENT");
    if (g->ist != 0)
        text_add(text, ", IST%u", g->ist);
}
