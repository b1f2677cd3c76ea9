/* A guest's APLIC; see aplic.h. Register map: section 4.5 of the specification. */
#include "dev/aplic.h"

enum {
    DOMAIN = 0,
    SOURCE = 4, /* of source 1; four bytes each */
    SET_PENDING = 0x1c00,
    SET_PENDING_ONE = 0x1cdc,
    INPUT_CLEAR = 0x1d00, /* reads lines, writes clear pending bits */
    CLEAR_PENDING_ONE = 0x1ddc,
    SET_ENABLE = 0x1e00,
    SET_ENABLE_ONE = 0x1edc,
    CLEAR_ENABLE = 0x1f00,
    CLEAR_ENABLE_ONE = 0x1fdc,
    SET_PENDING_LITTLE = 0x2000,
    SET_PENDING_BIG = 0x2004,
    SEND = 0x3000,
    TARGET = 0x3004 /* of source 1 */
};
enum { DOMAIN_FIXED = -0x7ffffffc /* bit 31, and MSI delivery */, DOMAIN_ENABLE = 1 << 8 };
enum { INACTIVE = 0, DETACHED = 1, EDGE_RISING = 4, EDGE_FALLING = 5, LEVEL_HIGH = 6, LEVEL_LOW };
enum { MODE_MASK = 7, SOURCE_DELEGATES = 1 << 10 };
enum { MSI_MASK = 0x7ff, TARGET_HART_SHIFT = 18 };
#define TARGET_MASK (0x3fffu << TARGET_HART_SHIFT | MSI_MASK) /* no guest interrupt files */

#define ALL ((1ul << APLIC_SOURCES) - 2)

static bool is_source(uint64_t source)
{
    return source > 0 && source < APLIC_SOURCES;
}

/* The line's level as the source's mode interprets it. */
static bool rectified(const struct aplic *a, unsigned source)
{
    bool high = (a->level >> source & 1) != 0;

    switch (a->mode[source]) {
    case EDGE_RISING:
    case LEVEL_HIGH:
        return high;
    case EDGE_FALLING:
    case LEVEL_LOW:
        return !high;
    default:
        return false;
    }
}

static bool is_level(const struct aplic *a, unsigned source)
{
    return a->mode[source] == LEVEL_HIGH || a->mode[source] == LEVEL_LOW;
}

/* Sends the MSI of each source that is pending and enabled, and clears its pending bit. */
static void update(struct aplic *a)
{
    for (uint64_t due = a->on ? a->pending & a->enabled : 0; due != 0; due &= due - 1) {
        unsigned source = lowest_bit(due);

        a->pending &= ~(1ul << source);
        a->send(a->owner, a->target[source] >> TARGET_HART_SHIFT, a->target[source] & MSI_MASK);
    }
}

void aplic_set_source(void *aplic, unsigned source, bool level)
{
    struct aplic *a = aplic;
    uint64_t bit;
    bool was, is;

    if (!is_source(source))
        return;
    bit = 1ul << source;
    was = rectified(a, source);
    a->level = level ? a->level | bit : a->level & ~bit;
    is = rectified(a, source);
    if (is && (!was || a->mode[source] == EDGE_RISING))
        a->pending |= bit;
    else if (!is && is_level(a, source))
        a->pending &= ~bit;
    update(a);
}

void aplic_reset(struct aplic *a)
{
    *a = (struct aplic){.send = a->send, .owner = a->owner};
}

/* ---- Registers ---- */

static uint32_t half(uint64_t bits, uint64_t word)
{
    return word < 2 ? (uint32_t)(bits >> word * 32) : 0;
}

/* The driver sets pending bits. The bit of a level-sensitive source cannot be set while its line is
 * low (4.7). */
static void set_pending(struct aplic *a, uint64_t bits)
{
    for (bits &= ALL; bits != 0; bits &= bits - 1) {
        unsigned source = lowest_bit(bits);

        if (is_level(a, source) ? rectified(a, source) : a->mode[source] != INACTIVE)
            a->pending |= 1ul << source;
    }
}

/* Only the bits of active sources can be set. */
static void set_enabled(struct aplic *a, uint64_t bits)
{
    for (bits &= ALL; bits != 0; bits &= bits - 1)
        if (a->mode[lowest_bit(bits)] != INACTIVE)
            a->enabled |= bits & -bits;
}

static void write_source(struct aplic *a, unsigned source, uint64_t value)
{
    static const bool known[] = {[DETACHED] = true,
                                 [EDGE_RISING] = true,
                                 [EDGE_FALLING] = true,
                                 [LEVEL_HIGH] = true,
                                 [LEVEL_LOW] = true};
    uint8_t mode = value & MODE_MASK;
    bool was = rectified(a, source);

    a->mode[source] = (value & SOURCE_DELEGATES) == 0 && known[mode] ? mode : INACTIVE;
    if (a->mode[source] == INACTIVE) {
        a->pending &= ~(1ul << source);
        a->enabled &= ~(1ul << source);
        a->target[source] = 0;
    } else if (rectified(a, source) && !was) {
        a->pending |= 1ul << source;
    } else if (is_level(a, source) && !rectified(a, source)) {
        a->pending &= ~(1ul << source);
    }
}

static uint64_t lines(const struct aplic *a)
{
    uint64_t bits = 0;

    for (unsigned i = 1; i < APLIC_SOURCES; i++)
        bits |= (uint64_t)rectified(a, i) << i;
    return bits;
}

static uint64_t aplic_read(void *state, uint64_t offset, unsigned width)
{
    const struct aplic *a = state;

    if (width != 4)
        return 0;
    if (offset == DOMAIN)
        return (uint32_t)DOMAIN_FIXED | (a->on ? DOMAIN_ENABLE : 0);
    if (is_source(offset / 4) && offset < SOURCE + 4ul * APLIC_SOURCES)
        return a->mode[offset / 4];
    if (offset >= TARGET && is_source((offset - SEND) / 4))
        return a->target[(offset - SEND) / 4];
    switch (offset & ~7ul) {
    case SET_PENDING:
        return half(a->pending, offset / 4 & 1);
    case INPUT_CLEAR:
        return half(lines(a), offset / 4 & 1);
    case SET_ENABLE:
        return half(a->enabled, offset / 4 & 1);
    default:
        return 0;
    }
}

/* The sources that a write selects: by a mask of 32 bits, or one source by its number. */
static uint64_t named(uint64_t offset, uint64_t value)
{
    switch (offset) {
    case SET_PENDING_BIG:
        return (value & 0xffffff) == 0 && is_source(value >> 24) ? 1ul << (value >> 24) : 0;
    case SET_PENDING_ONE:
    case CLEAR_PENDING_ONE:
    case SET_ENABLE_ONE:
    case CLEAR_ENABLE_ONE:
    case SET_PENDING_LITTLE:
        return is_source(value) ? 1ul << value : 0;
    default:
        return value << (offset / 4 & 1) * 32;
    }
}

static void write_bits(struct aplic *a, uint64_t offset, uint64_t bits)
{
    switch (offset) {
    case SET_PENDING:
    case SET_PENDING + 4:
    case SET_PENDING_ONE:
    case SET_PENDING_LITTLE:
    case SET_PENDING_BIG:
        set_pending(a, bits);
        break;
    case INPUT_CLEAR:
    case INPUT_CLEAR + 4:
    case CLEAR_PENDING_ONE:
        a->pending &= ~bits;
        break;
    case SET_ENABLE:
    case SET_ENABLE + 4:
    case SET_ENABLE_ONE:
        set_enabled(a, bits);
        break;
    case CLEAR_ENABLE:
    case CLEAR_ENABLE + 4:
    case CLEAR_ENABLE_ONE:
        a->enabled &= ~bits;
        break;
    default:
        break;
    }
}

static void aplic_write(void *state, uint64_t offset, unsigned width, uint64_t value)
{
    struct aplic *a = state;

    if (width != 4)
        return;
    if (offset == DOMAIN)
        a->on = (value & DOMAIN_ENABLE) != 0;
    else if (is_source(offset / 4) && offset < SOURCE + 4ul * APLIC_SOURCES)
        write_source(a, (unsigned)(offset / 4), value);
    else if (offset == SEND)
        a->send(a->owner, (unsigned)(value >> TARGET_HART_SHIFT), value & MSI_MASK);
    else if (offset >= TARGET && is_source((offset - SEND) / 4) &&
             a->mode[(offset - SEND) / 4] != INACTIVE)
        a->target[(offset - SEND) / 4] = (uint32_t)value & TARGET_MASK;
    else
        write_bits(a, offset, named(offset, value));
    update(a);
}

const struct device_ops aplic_ops = {
    .name = "APLIC",
    .read = aplic_read,
    .write = aplic_write,
};
