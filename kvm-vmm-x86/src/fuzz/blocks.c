/* Basic blocks, by a walk along the code with Zydis; see blocks.h. */
#include "fuzz/blocks.h"

#include <stdlib.h>

#include "watch/explain/fault/instruction.h"

/* A hash table of visited addresses; 0 is a free entry. At most a quarter is used. */
enum { SEEN_BITS = 20, SEEN_MAX = 1 << (SEEN_BITS - 2) };

enum mark { UNSEEN, INSIDE, LEADER };

struct walker {
    const struct snapshot *s;
    struct mutate *values;
    gva_t *keys;
    uint8_t *marks;
    size_t seen;
    gva_t *pending; /* blocks still to be walked */
    size_t pending_count, leaders;
    bool cut;
};

static size_t slot_of(const struct walker *w, gva_t at)
{
    size_t i = (size_t)(at * UINT64_C(0x9e3779b97f4a7c15) >> (64 - SEEN_BITS));

    while (w->marks[i] != UNSEEN && w->keys[i] != at)
        i = (i + 1) % ((size_t)1 << SEEN_BITS);
    return i;
}

static bool mark(struct walker *w, gva_t at, enum mark mark)
{
    size_t i = slot_of(w, at);

    if (w->marks[i] == UNSEEN) {
        if (w->seen == SEEN_MAX)
            return false;
        w->seen++;
        w->keys[i] = at;
    }
    w->marks[i] = (uint8_t)mark;
    return true;
}

static void add_leader(struct walker *w, gva_t at)
{
    enum mark was = w->marks[slot_of(w, at)];

    if (was == LEADER)
        return;
    if (w->leaders == BLOCKS_MAX || !mark(w, at, LEADER)) {
        w->cut = true;
        return;
    }
    w->leaders++;
    if (was == UNSEEN)
        w->pending[w->pending_count++] = at;
}

static void note_value(struct walker *w, const struct instruction *in)
{
    const ZydisDecodedOperand *o = &in->operands[1];

    if ((in->i.mnemonic == ZYDIS_MNEMONIC_CMP || in->i.mnemonic == ZYDIS_MNEMONIC_SUB) &&
        in->visible == 2 && o->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
        mutate_add_value(w->values, o->imm.value.u, in->operands[0].size / 8);
}

/* The target of a direct jump or call; false: it is not direct. */
static bool target_of(const struct instruction *in, gva_t at, gva_t *target)
{
    const ZydisDecodedOperand *o = &in->operands[0];

    if (o->type != ZYDIS_OPERAND_TYPE_IMMEDIATE || !o->imm.is_relative)
        return false;
    *target = at + in->i.length + (uint64_t)o->imm.value.s;
    return true;
}

/* Whether the block continues behind the instruction. Adds the blocks to which the instruction
 * leads. */
static bool goes_on(struct walker *w, const struct instruction *in, gva_t at)
{
    gva_t target;
    bool direct = target_of(in, at, &target);

    switch (in->i.meta.category) {
    case ZYDIS_CATEGORY_COND_BR:
        if (direct)
            add_leader(w, target);
        add_leader(w, at + in->i.length);
        return false;
    case ZYDIS_CATEGORY_UNCOND_BR:
        if (direct)
            add_leader(w, target);
        return false;
    case ZYDIS_CATEGORY_CALL:
        if (direct)
            add_leader(w, target);
        return true;
    case ZYDIS_CATEGORY_RET:
        return false;
    default:
        return in->i.mnemonic != ZYDIS_MNEMONIC_HLT && in->i.mnemonic != ZYDIS_MNEMONIC_UD2;
    }
}

/* Two zero bytes, which decode as `add %al, (%rax)`: empty memory behind the code. */
static bool is_empty(const struct instruction *in)
{
    return in->i.mnemonic == ZYDIS_MNEMONIC_ADD && in->i.length == 2 && in->i.opcode == 0 &&
           in->i.raw.modrm.mod == 0 && in->i.raw.modrm.reg == 0 && in->i.raw.modrm.rm == 0;
}

static void walk_block(struct walker *w, gva_t at)
{
    struct instruction in;
    bool first = true;

    while (first || w->marks[slot_of(w, at)] == UNSEEN) {
        if (!instruction_at(w->s, at, &in) || is_empty(&in))
            return;
        if (!first && !mark(w, at, INSIDE)) {
            w->cut = true;
            return;
        }
        note_value(w, &in);
        if (!goes_on(w, &in, at))
            return;
        at += in.i.length;
        first = false;
    }
}

static int compare(const void *a, const void *b)
{
    gva_t x = *(const gva_t *)a, y = *(const gva_t *)b;

    return x < y ? -1 : x > y;
}

/* Whether `at` is in the middle of another instruction that was walked. One of the two is not code,
 * most often data behind a call that does not return. */
static bool is_inside(const struct walker *w, gva_t at)
{
    struct instruction in;

    for (unsigned back = 1; back < INSTRUCTION_MAX; back++)
        if (w->marks[slot_of(w, at - back)] != UNSEEN && instruction_at(w->s, at - back, &in) &&
            in.i.length > back)
            return true;
    return false;
}

/* Whether a breakpoint of two bytes fits: the instruction is longer, or another one of the block
 * follows. */
static bool has_room(const struct walker *w, gva_t at)
{
    struct instruction in;

    return !is_inside(w, at) && instruction_at(w->s, at, &in) &&
           (in.i.length > 1 || w->marks[slot_of(w, at + 1)] == INSIDE);
}

static int collect(const struct walker *w, struct blocks *blocks, struct error *error)
{
    blocks->list = calloc(w->leaders + 1, sizeof *blocks->list);
    if (blocks->list == NULL)
        return error_set(error, "out of memory");
    for (size_t i = 0; i < (size_t)1 << SEEN_BITS; i++)
        if (w->marks[i] == LEADER && has_room(w, w->keys[i]))
            blocks->list[blocks->count++] = w->keys[i];
    qsort(blocks->list, blocks->count, sizeof *blocks->list, compare);
    blocks->cut = w->cut;
    return 0;
}

int blocks_find(struct blocks *blocks, const struct snapshot *s, struct mutate *values,
                struct error *error)
{
    struct walker w = {.s = s, .values = values};
    int result = -1;

    *blocks = (struct blocks){0};
    w.keys = calloc((size_t)1 << SEEN_BITS, sizeof *w.keys);
    w.marks = calloc((size_t)1 << SEEN_BITS, sizeof *w.marks);
    w.pending = calloc(BLOCKS_MAX + 1, sizeof *w.pending);
    if (w.keys == NULL || w.marks == NULL || w.pending == NULL)
        error_set(error, "out of memory");
    else {
        add_leader(&w, snapshot_linear_rip(s));
        while (w.pending_count > 0)
            walk_block(&w, w.pending[--w.pending_count]);
        result = collect(&w, blocks, error);
    }
    free(w.keys);
    free(w.marks);
    free(w.pending);
    return result;
}

void blocks_release(struct blocks *blocks)
{
    free(blocks->list);
    *blocks = (struct blocks){0};
}
