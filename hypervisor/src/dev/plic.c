/* A guest's PLIC; see plic.h. Register map: section 3 of the specification. */
#include "dev/plic.h"

#include "common/string.h"

enum {
    PENDING = 0x1000,
    ENABLE = 0x2000,
    ENABLE_STRIDE = 0x80,
    CONTEXT = 0x200000,
    CONTEXT_STRIDE = 0x1000,
    CLAIM = 4
};

/* The source that `context` should serve next: highest priority above the threshold, lowest number
 * among equals; 0 for none. */
static unsigned best(const struct plic *p, unsigned context)
{
    uint64_t candidates = p->pending & p->state.enable[context];
    uint32_t highest = p->state.threshold[context];
    unsigned found = 0;

    for (; candidates != 0; candidates &= candidates - 1) {
        unsigned source = lowest_bit(candidates);

        if (p->state.priority[source] > highest) {
            highest = p->state.priority[source];
            found = source;
        }
    }
    return found;
}

static void update(struct plic *p)
{
    for (unsigned c = 0; c < p->contexts; c++) {
        bool level = best(p, c) != 0;

        if (level != p->line[c]) {
            p->line[c] = level;
            p->notify(p->owner, c, level);
        }
    }
}

/* A source is pending while its line is high, except between its claim and its completion. */
static void gate(struct plic *p, unsigned source)
{
    uint64_t bit = 1ul << source;

    if ((p->level & bit) && !(p->state.claimed & bit))
        p->pending |= bit;
    else
        p->pending &= ~bit;
}

void plic_set_source(void *plic, unsigned source, bool level)
{
    struct plic *p = plic;

    if (source == 0 || source >= PLIC_SOURCES)
        return;
    if (level)
        p->level |= 1ul << source;
    else
        p->level &= ~(1ul << source);
    gate(p, source);
    update(p);
}

void plic_reset(struct plic *p)
{
    p->state = (struct plic_state){0};
    p->level = p->pending = 0;
    update(p);
}

void plic_load(struct plic *p, const struct plic_state *state)
{
    p->state = *state;
    p->state.claimed &= ~1ul;
    for (unsigned i = 0; i < PLIC_CONTEXTS; i++) {
        p->state.enable[i] &= ~1ul;
        p->state.threshold[i] = (uint32_t)min64(state->threshold[i], PLIC_PRIORITY_MAX);
    }
    for (unsigned i = 0; i < PLIC_SOURCES; i++) {
        p->state.priority[i] = (uint32_t)min64(state->priority[i], i > 0 ? PLIC_PRIORITY_MAX : 0);
        gate(p, i);
    }
    update(p);
}

static uint32_t claim(struct plic *p, unsigned context)
{
    unsigned source = best(p, context);

    if (source != 0) {
        p->state.claimed |= 1ul << source;
        gate(p, source);
        update(p);
    }
    return source;
}

static void complete(struct plic *p, unsigned context, uint64_t source)
{
    /* A completion of a source that is not enabled in the context is ignored (section 9). */
    if (source == 0 || source >= PLIC_SOURCES || !(p->state.enable[context] & 1ul << source))
        return;
    p->state.claimed &= ~(1ul << source);
    gate(p, (unsigned)source);
    update(p);
}

static uint64_t half(uint64_t bits, uint64_t word)
{
    return word < 2 ? bits >> word * 32 & 0xffffffff : 0;
}

static uint64_t plic_read(void *state, uint64_t offset, unsigned width)
{
    struct plic *p = state;
    uint64_t context;

    if (width != 4)
        return 0;
    if (offset < PENDING)
        return offset / 4 < PLIC_SOURCES ? p->state.priority[offset / 4] : 0;
    if (offset < ENABLE)
        return half(p->pending, (offset - PENDING) / 4);
    if (offset < CONTEXT) {
        context = (offset - ENABLE) / ENABLE_STRIDE;
        return context < p->contexts
                   ? half(p->state.enable[context], (offset - ENABLE) % ENABLE_STRIDE / 4)
                   : 0;
    }
    context = (offset - CONTEXT) / CONTEXT_STRIDE;
    if (context >= p->contexts)
        return 0;
    switch ((offset - CONTEXT) % CONTEXT_STRIDE) {
    case 0:
        return p->state.threshold[context];
    case CLAIM:
        return claim(p, (unsigned)context);
    default:
        return 0;
    }
}

static void write_enable(struct plic *p, uint64_t offset, uint64_t value)
{
    uint64_t context = offset / ENABLE_STRIDE, word = offset % ENABLE_STRIDE / 4;

    if (context >= p->contexts || word > 1)
        return;
    p->state.enable[context] &= ~(0xfffffffful << word * 32);
    p->state.enable[context] |= value << word * 32;
    p->state.enable[context] &= ~1ul; /* there is no source 0 */
}

static void plic_write(void *state, uint64_t offset, unsigned width, uint64_t value)
{
    struct plic *p = state;
    uint64_t context;

    if (width != 4)
        return;
    if (offset < PENDING) {
        if (offset / 4 > 0 && offset / 4 < PLIC_SOURCES)
            p->state.priority[offset / 4] = (uint32_t)min64(value, PLIC_PRIORITY_MAX);
    } else if (offset >= ENABLE && offset < CONTEXT) {
        write_enable(p, offset - ENABLE, value);
    } else if (offset >= CONTEXT) {
        context = (offset - CONTEXT) / CONTEXT_STRIDE;
        if (context >= p->contexts)
            return;
        if ((offset - CONTEXT) % CONTEXT_STRIDE == 0)
            p->state.threshold[context] = (uint32_t)min64(value, PLIC_PRIORITY_MAX);
        else if ((offset - CONTEXT) % CONTEXT_STRIDE == CLAIM)
            complete(p, (unsigned)context, value);
    }
    update(p);
}

const struct device_ops plic_ops = {
    .name = "PLIC",
    .read = plic_read,
    .write = plic_write,
};
