/* Segment descriptors; see descriptor.h. */
#include "watch/explain/fault/descriptor.h"

enum { SELECTOR_LDT = 4, SELECTOR_MASK = 0xfff8 };

/* Code and data types (table 3-1). */
enum { TYPE_CODE = 8, TYPE_CONFORMING = 4, TYPE_READ_WRITE = 2 };

uint64_t descriptor_field(uint64_t raw, unsigned low, unsigned width)
{
    return raw >> low & ((UINT64_C(1) << width) - 1);
}

static void decode(const struct snapshot *s, struct descriptor *d)
{
    d->limit = (uint32_t)(descriptor_field(d->raw, 0, 16) | descriptor_field(d->raw, 48, 4) << 16);
    if (descriptor_field(d->raw, 55, 1))
        d->limit = d->limit << 12 | 0xfff;
    d->base = descriptor_field(d->raw, 16, 24) | descriptor_field(d->raw, 56, 8) << 24;
    d->type = (uint8_t)descriptor_field(d->raw, 40, 4);
    d->segment = descriptor_field(d->raw, 44, 1);
    d->dpl = (uint8_t)descriptor_field(d->raw, 45, 2);
    d->present = descriptor_field(d->raw, 47, 1);
    d->is_long = descriptor_field(d->raw, 53, 1);
    d->big = descriptor_field(d->raw, 54, 1);
    if (!d->segment && snapshot_is_long(s))
        d->base |= descriptor_field(d->raw_high, 0, 32) << 32;
}

struct descriptor descriptor_look(const struct snapshot *s, uint16_t selector)
{
    bool local = selector & SELECTOR_LDT;
    unsigned offset = selector & SELECTOR_MASK;
    gva_t base = local ? s->sregs.ldt.base : s->sregs.gdt.base;
    uint32_t limit = local ? s->sregs.ldt.limit : s->sregs.gdt.limit;
    struct descriptor d = {.selector = selector, .at = base + offset};

    d.table_limit = (uint16_t)(limit > UINT16_MAX ? UINT16_MAX : limit);
    if ((selector & ~3) == 0) {
        d.state = DESCRIPTOR_NULL;
    } else if (offset + 7 > limit || (local && s->sregs.ldt.unusable)) {
        d.state = DESCRIPTOR_BEYOND;
    } else if (walk_read(s, d.at, &d.raw, sizeof d.raw) < sizeof d.raw) {
        d.walk = walk_as(s, d.at, WALK_READ, false);
        d.state = DESCRIPTOR_UNREADABLE;
    } else {
        (void)walk_read(s, d.at + 8, &d.raw_high, sizeof d.raw_high);
        decode(s, &d);
    }
    return d;
}

bool descriptor_is_code(const struct descriptor *d)
{
    return d->segment && (d->type & TYPE_CODE);
}

bool descriptor_is_writable_data(const struct descriptor *d)
{
    return d->segment && !(d->type & TYPE_CODE) && (d->type & TYPE_READ_WRITE);
}

bool descriptor_is_readable(const struct descriptor *d)
{
    return d->segment && (!(d->type & TYPE_CODE) || (d->type & TYPE_READ_WRITE));
}

bool descriptor_is_conforming(const struct descriptor *d)
{
    return descriptor_is_code(d) && (d->type & TYPE_CONFORMING);
}

struct words descriptor_state_words(const struct descriptor *d)
{
    const char *table = d->selector & SELECTOR_LDT ? "LDT" : "GDT";
    struct words said;
    struct text text = text_in(said.text, sizeof said.text);

    switch (d->state) {
    case DESCRIPTOR_NULL:
        text_add(&text, "is null");
        break;
    case DESCRIPTOR_BEYOND:
        text_add(&text, "lies beyond the %s (limit 0x%x)", table, d->table_limit);
        break;
    case DESCRIPTOR_UNREADABLE:
        text_add(&text, "cannot be read from the %s at 0x%lx (%s)", table, d->at,
                 walk_words(&d->walk).text);
        break;
    default:
        text_add(&text, "is good");
    }
    return said;
}

const char *descriptor_type_name(uint8_t type)
{
    static const char *const names[16] = {
        [TYPE_TSS16] = "16-bit TSS",         [TYPE_LDT] = "LDT",
        [TYPE_TSS16_BUSY] = "busy TSS",      [4] = "call gate",
        [TYPE_TASK_GATE] = "task gate",      [TYPE_INTERRUPT16] = "16-bit interrupt gate",
        [TYPE_TRAP16] = "16-bit trap gate",  [TYPE_TSS] = "TSS",
        [TYPE_TSS_BUSY] = "busy TSS",        [12] = "call gate",
        [TYPE_INTERRUPT] = "interrupt gate", [TYPE_TRAP] = "trap gate",
    };

    return names[type & 15] != NULL ? names[type & 15] : "not a valid descriptor";
}

void descriptor_print(struct text *text, const struct descriptor *d)
{
    text_add(text, "0x%04x ", d->selector);
    if (d->state != DESCRIPTOR_GOOD) {
        text_add(text, "%s", descriptor_state_words(d).text);
        return;
    }
    text_add(text, "%016lx: ", d->raw);
    if (!d->segment)
        text_add(text, "%s", descriptor_type_name(d->type));
    else if (descriptor_is_code(d))
        text_add(text, "%s-bit code%s%s",
                 d->is_long ? "64"
                 : d->big   ? "32"
                            : "16",
                 descriptor_is_readable(d) ? ", readable" : ", execute only",
                 descriptor_is_conforming(d) ? ", conforming" : "");
    else
        text_add(text, "data%s%s", descriptor_is_writable_data(d) ? ", writable" : ", read-only",
                 d->type & TYPE_CONFORMING ? ", expand-down" : "");
    text_add(text, ", base 0x%lx, limit 0x%x, DPL %u%s", d->base, d->limit, d->dpl,
             d->present ? "" : ", NOT PRESENT");
}
