/*
 * Tapes; see tape.h. An entry is one byte for its kind, then numbers with 7 bits in each byte, the
 * lowest first. For an exit, bit 7 of the first byte is set, and one bit for each field that
 * differs from the exit before.
 */
#include "vm/tape.h"

#include <stdlib.h>
#include <string.h>

#include "dev/backend.h"
#include "vm/ticks.h"

enum { RIP = 1, ADDRESS = 2, VALUE = 4, SHAPE = 8, ENTRY_MAX = 64, FIRST_SIZE = 4096 };
enum { NUMBER_BYTES = 10, NUMBER_BITS = 7 };

/* An entry is built here and then written as a whole, or not at all. Only its length is
 * initialised, since every exit makes one. */
struct entry {
    uint8_t bytes[ENTRY_MAX + sizeof(((struct tape_end *)0)->message)];
    size_t length;
};

static void add_byte(struct entry *e, uint8_t byte)
{
    e->bytes[e->length++] = byte;
}

static void add_number(struct entry *e, uint64_t value)
{
    for (; value >> NUMBER_BITS != 0; value >>= NUMBER_BITS)
        add_byte(e, (uint8_t)(value | 0x80));
    add_byte(e, (uint8_t)value);
}

/* Small differences of either sign are short. */
static void add_difference(struct entry *e, uint64_t value, uint64_t last)
{
    uint64_t d = value - last;

    add_number(e, d << 1 ^ (d >> 63 != 0 ? UINT64_MAX : 0));
}

static bool write(struct tape *t, const struct entry *e)
{
    size_t size = t->size == 0 ? FIRST_SIZE : t->size;
    uint8_t *bytes;

    if (t->full)
        return false;
    while (size - t->used < e->length)
        size *= 2;
    if (size != t->size) {
        bytes = size <= t->limit ? realloc(t->bytes, size) : NULL;
        t->full = bytes == NULL;
        if (t->full)
            return false;
        t->bytes = bytes;
        t->size = size;
    }
    memcpy(t->bytes + t->used, e->bytes, e->length);
    t->used += e->length;
    t->end.at = t->used;
    return true;
}

void tape_release(struct tape *t)
{
    free(t->bytes);
    *t = (struct tape){0};
}

void tape_cut(struct tape *t, const struct tape_place *place)
{
    t->end = *place;
    t->used = place->at;
    t->full = t->may_retry = false;
}

void tape_reach(struct tape *t, uint64_t exits)
{
    struct entry e;

    if (exits <= t->end.exits)
        return;
    e.length = 0;
    add_byte(&e, TAPE_SKIP);
    add_number(&e, exits - t->end.exits);
    if (write(t, &e))
        t->end.exits = exits;
}

/* How often a waiting guest polls for input depends on the host, so only the last poll is kept. */
void tape_put(struct tape *t, uint64_t exits, uint32_t item, enum tape_kind kind, uint64_t value)
{
    struct entry e;
    bool none = kind == TAPE_INPUT && value == (uint64_t)INPUT_NONE;
    struct tape_place before;

    if (kind == TAPE_INPUT && t->may_retry && t->end.exits == exits && t->item == item)
        tape_cut(t, &t->retry);
    tape_reach(t, exits);
    before = t->end;
    e.length = 0;
    add_byte(&e, (uint8_t)kind);
    add_difference(&e, value, t->end.last[kind]);
    t->may_retry = write(t, &e) && none;
    if (t->full)
        return;
    t->end.last[kind] = value;
    t->item = item;
    t->retry = before;
}

void tape_put_exit(struct tape *t, uint64_t exits, const struct exit_record *record)
{
    const struct exit_record *last = &t->end.exit;
    struct entry e;
    bool shape = record->reason != last->reason || record->space != last->space ||
                 record->size != last->size || record->write != last->write ||
                 record->count != last->count;

    tape_reach(t, exits);
    e.length = 0;
    add_byte(&e, (uint8_t)(TAPE_EXIT | (record->rip != last->rip ? RIP : 0) |
                           (record->address != last->address ? ADDRESS : 0) |
                           (record->value != last->value ? VALUE : 0) | (shape ? SHAPE : 0)));
    if (record->rip != last->rip)
        add_difference(&e, record->rip, last->rip);
    if (record->address != last->address)
        add_difference(&e, record->address, last->address);
    if (record->value != last->value)
        add_difference(&e, record->value, last->value);
    if (shape) {
        add_byte(&e, record->reason);
        add_byte(&e, (uint8_t)(record->space | record->write << 7));
        add_byte(&e, record->size);
        add_number(&e, record->count);
    }
    t->may_retry = false;
    if (!write(t, &e))
        return;
    t->end.exits = exits + 1;
    t->end.exit = *record;
}

void tape_put_end(struct tape *t, uint64_t exits, int kind, int code, const char *message)
{
    struct entry e;
    size_t length = strnlen(message, sizeof((struct tape_end *)0)->message - 1);

    tape_reach(t, exits);
    e.length = 0;
    add_byte(&e, TAPE_END);
    add_difference(&e, (uint64_t)kind, 0);
    add_difference(&e, (uint64_t)code, 0);
    add_number(&e, length);
    memcpy(e.bytes + e.length, message, length);
    e.length += length;
    t->may_retry = false;
    (void)write(t, &e);
}

static bool take_byte(const struct tape *t, size_t *at, uint8_t *byte)
{
    if (*at >= t->used)
        return false;
    *byte = t->bytes[(*at)++];
    return true;
}

static bool take_number(const struct tape *t, size_t *at, uint64_t *value)
{
    uint8_t byte = 0x80;

    *value = 0;
    for (unsigned i = 0; i < NUMBER_BYTES && byte >= 0x80; i++) {
        if (!take_byte(t, at, &byte))
            return false;
        *value |= (uint64_t)(byte & 0x7f) << (i * NUMBER_BITS);
    }
    return byte < 0x80;
}

static bool take_difference(const struct tape *t, size_t *at, uint64_t *value)
{
    uint64_t d;

    if (!take_number(t, at, &d))
        return false;
    *value += d >> 1 ^ (d & 1 ? UINT64_MAX : 0);
    return true;
}

static bool take_shape(const struct tape *t, size_t *at, struct exit_record *record)
{
    uint8_t space;
    uint64_t count;

    if (!take_byte(t, at, &record->reason) || !take_byte(t, at, &space) ||
        !take_byte(t, at, &record->size) || !take_number(t, at, &count) || count > UINT32_MAX)
        return false;
    record->write = space & 0x80;
    record->space = space & 0x7f;
    record->count = (uint32_t)count;
    return record->space <= EXIT_MEMORY;
}

/* Input, and the count of pending input, must fit into an int. */
static bool value_can_be(uint8_t kind, uint64_t value)
{
    if (kind == TAPE_TICK)
        return (value & TICK_ALL) != 0 && (value & ~(uint64_t)TICK_HALTED) <= TICK_ALL;
    if (kind == TAPE_INPUT)
        return value <= UINT8_MAX || value == (uint64_t)INPUT_NONE || value == (uint64_t)INPUT_END;
    return kind != TAPE_PENDING || value <= INT32_MAX || value == (uint64_t)INPUT_END;
}

/* Reads the entry at `place`, and moves that behind it. */
static bool read_entry(const struct tape *t, struct tape_place *place, enum tape_kind *kind,
                       struct tape_end *end)
{
    struct tape_place p = *place;
    uint64_t value = 0, code = 0;
    uint8_t tag;

    if (!take_byte(t, &p.at, &tag))
        return false;
    *kind = (enum tape_kind)tag;
    if (tag & TAPE_EXIT) {
        *kind = TAPE_EXIT;
        if ((tag & 0x70) || ((tag & RIP) && !take_difference(t, &p.at, &p.exit.rip)) ||
            ((tag & ADDRESS) && !take_difference(t, &p.at, &p.exit.address)) ||
            ((tag & VALUE) && !take_difference(t, &p.at, &p.exit.value)) ||
            ((tag & SHAPE) && !take_shape(t, &p.at, &p.exit)))
            return false;
        p.exits++;
    } else if (tag == TAPE_SKIP) {
        if (!take_number(t, &p.at, &value) || value > UINT64_MAX / 2 - p.exits)
            return false;
        p.exits += value;
    } else if (tag == TAPE_END) {
        if (!take_difference(t, &p.at, &value) || !take_difference(t, &p.at, &code) ||
            value == END_NONE || value > END_SIBLING || code > INT32_MAX)
            return false;
        end->kind = (int)value;
        end->code = (int)code;
        if (!take_number(t, &p.at, &value) || value >= sizeof end->message ||
            value > t->used - p.at)
            return false;
        memcpy(end->message, t->bytes + p.at, value);
        end->message[value] = '\0';
        p.at += value;
    } else if (tag == TAPE_NOTHING || tag > TAPE_TICK || !take_difference(t, &p.at, &p.last[tag]) ||
               !value_can_be(tag, p.last[tag])) {
        return false;
    }
    *place = p;
    return true;
}

/* Advances to the entries of the exit after `exits` exits, and reads the first one into `then`. */
static enum tape_result go_to(const struct tape *t, struct tape_place *place, uint64_t exits,
                              struct tape_place *then, enum tape_kind *kind, struct tape_end *end)
{
    while (place->at < t->used) {
        *then = *place;
        if (place->exits > exits)
            return TAPE_OTHER;
        if (!read_entry(t, then, kind, end))
            return TAPE_DAMAGED;
        if ((*kind != TAPE_EXIT && *kind != TAPE_SKIP) || then->exits > exits)
            return place->exits == exits ? TAPE_FOUND : TAPE_OTHER;
        *place = *then;
    }
    return exits >= place->exits ? TAPE_OVER : TAPE_OTHER;
}

static enum tape_result take(const struct tape *t, struct tape_place *place, uint64_t exits,
                             enum tape_kind kind)
{
    struct tape_place then;
    struct tape_end end;
    enum tape_kind found;
    enum tape_result result = go_to(t, place, exits, &then, &found, &end);

    if (result != TAPE_FOUND)
        return result;
    if (found == TAPE_END)
        return TAPE_OVER;
    if (found != kind)
        return TAPE_OTHER;
    *place = then;
    return TAPE_FOUND;
}

enum tape_result tape_take(const struct tape *t, struct tape_place *place, uint64_t exits,
                           enum tape_kind kind, uint64_t *value)
{
    enum tape_result result = take(t, place, exits, kind);

    if (result == TAPE_FOUND)
        *value = place->last[kind];
    return result;
}

enum tape_result tape_take_exit(const struct tape *t, struct tape_place *place, uint64_t exits,
                                struct exit_record *record)
{
    enum tape_result result = take(t, place, exits, TAPE_EXIT);

    if (result == TAPE_FOUND)
        *record = place->exit;
    return result;
}

enum tape_result tape_take_end(const struct tape *t, struct tape_place *place, uint64_t exits,
                               struct tape_end *end)
{
    struct tape_place then;
    enum tape_kind found;
    enum tape_result result = go_to(t, place, exits, &then, &found, end);

    if (result == TAPE_FOUND && found != TAPE_END)
        return TAPE_OTHER;
    if (result == TAPE_FOUND)
        *place = then;
    return result;
}

enum tape_kind tape_next(const struct tape *t, struct tape_place *place, uint64_t exits)
{
    struct tape_place then;
    struct tape_end end;
    enum tape_kind found;

    return go_to(t, place, exits, &then, &found, &end) == TAPE_FOUND ? found : TAPE_NOTHING;
}

const char *tape_kind_name(enum tape_kind kind)
{
    static const char *const names[TAPE_KINDS] = {[TAPE_INPUT] = "input",
                                                  [TAPE_PENDING] = "the number of waiting bytes",
                                                  [TAPE_NOW] = "the monotonic clock",
                                                  [TAPE_WALL] = "the date",
                                                  [TAPE_TICK] = "an interrupt",
                                                  [TAPE_END] = "the end"};

    return kind < TAPE_KINDS && names[kind] != NULL ? names[kind] : "an exit";
}

bool tape_check(struct tape *t)
{
    struct tape_end end;
    enum tape_kind kind;

    t->end = (struct tape_place){0};
    while (t->end.at < t->used)
        if (!read_entry(t, &t->end, &kind, &end))
            return false;
    return true;
}
