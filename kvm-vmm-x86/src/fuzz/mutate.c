/* Inputs made from others; see mutate.h. The generator is xorshift64* (Marsaglia 2003, Vigna 2016).
 */
#include "fuzz/mutate.h"

#include <string.h>

enum { CHANGES_MAX = 8 };

void mutate_init(struct mutate *m, uint64_t seed, size_t most)
{
    m->state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    m->state = m->state != 0 ? m->state : 1;
    m->most = most;
    m->value_count = 0;
}

void mutate_add_value(struct mutate *m, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < m->value_count; i++)
        if (m->values[i] == value && m->sizes[i] == size)
            return;
    if (m->value_count == MUTATE_VALUES_MAX)
        return;
    m->values[m->value_count] = value;
    m->sizes[m->value_count++] = (uint8_t)size;
}

static uint64_t next(struct mutate *m)
{
    m->state ^= m->state >> 12;
    m->state ^= m->state << 25;
    m->state ^= m->state >> 27;
    return m->state * UINT64_C(0x2545f4914f6cdd1d);
}

uint64_t mutate_below(struct mutate *m, uint64_t limit)
{
    return (next(m) >> 11) % limit;
}

struct input {
    uint8_t *bytes;
    size_t size;
};

static size_t place(struct mutate *m, const struct input *in)
{
    return (size_t)mutate_below(m, in->size);
}

static void flip_bit(struct mutate *m, struct input *in)
{
    size_t at = place(m, in);

    in->bytes[at] ^= (uint8_t)(1 << mutate_below(m, 8));
}

static void set_byte(struct mutate *m, struct input *in)
{
    size_t at = place(m, in);

    in->bytes[at] = (uint8_t)next(m);
}

static void add_a_little(struct mutate *m, struct input *in)
{
    size_t at = place(m, in);

    in->bytes[at] = (uint8_t)(in->bytes[at] + mutate_below(m, 33) - 16);
}

/* Sets a byte that is often a boundary value. */
static void set_edge(struct mutate *m, struct input *in)
{
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff, ' ', '\n', '0', '-', '%'};
    size_t at = place(m, in);

    in->bytes[at] = edges[mutate_below(m, sizeof edges)];
}

/* Sets a number, in either byte order. */
static void set_value(struct mutate *m, struct input *in)
{
    unsigned i, size;
    uint64_t value;
    size_t at;

    if (m->value_count == 0)
        return;
    i = (unsigned)mutate_below(m, m->value_count);
    size = m->sizes[i];
    value =
        mutate_below(m, 4) == 0 ? __builtin_bswap64(m->values[i]) >> (64 - 8 * size) : m->values[i];
    at = (size_t)mutate_below(m, in->size + 1);
    if (at + size > m->most)
        return;
    memcpy(in->bytes + at, &value, size);
    in->size = at + size > in->size ? at + size : in->size;
}

static void insert(struct mutate *m, struct input *in)
{
    size_t at = (size_t)mutate_below(m, in->size + 1), count = 1 + (size_t)mutate_below(m, 8);

    if (in->size + count > m->most)
        return;
    memmove(in->bytes + at + count, in->bytes + at, in->size - at);
    for (size_t i = 0; i < count; i++)
        in->bytes[at + i] = (uint8_t)next(m);
    in->size += count;
}

static void delete (struct mutate *m, struct input *in)
{
    size_t at = place(m, in), count = 1 + (size_t)mutate_below(m, 8);

    count = count < in->size - at ? count : in->size - at;
    memmove(in->bytes + at, in->bytes + at + count, in->size - at - count);
    in->size -= count;
}

static void repeat(struct mutate *m, struct input *in)
{
    size_t from = place(m, in), at = place(m, in), count = 1 + (size_t)mutate_below(m, 16);

    count = count < in->size - from ? count : in->size - from;
    count = count < in->size - at ? count : in->size - at;
    memmove(in->bytes + at, in->bytes + from, count);
}

static void splice(struct mutate *m, struct input *in, const uint8_t *other, size_t size)
{
    size_t at = (size_t)mutate_below(m, in->size + 1), from, count;

    if (size == 0)
        return;
    from = (size_t)mutate_below(m, size);
    count = size - from < m->most - at ? size - from : m->most - at;
    memcpy(in->bytes + at, other + from, count);
    in->size = at + count;
}

size_t mutate_input(struct mutate *m, uint8_t *bytes, size_t size, const uint8_t *other,
                    size_t other_size)
{
    static void (*const changes[])(struct mutate *, struct input *) = {
        flip_bit, set_byte, add_a_little, set_edge, set_value, set_value, insert, delete, repeat};
    struct input in = {bytes, size};
    uint64_t count = 1 + mutate_below(m, CHANGES_MAX);

    if (mutate_below(m, 8) == 0)
        splice(m, &in, other, other_size);
    for (uint64_t i = 0; i < count; i++) {
        if (in.size == 0)
            insert(m, &in);
        if (in.size > 0)
            changes[mutate_below(m, sizeof changes / sizeof changes[0])](m, &in);
    }
    return in.size;
}
