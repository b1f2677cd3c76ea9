/* An 8254; see pit.h. Control words have the data sheet's names. */
#include "dev/pit.h"

#include <string.h>

enum { CONTROL = 3, READ_BACK = 3, BOTH = 3, LONGEST = 0x10000 };
enum { READ_BACK_NO_COUNT = 0x20, READ_BACK_NO_STATUS = 0x10 };
enum { STATUS_OUT = 0x80, STATUS_NULL_COUNT = 0x40 };
enum { RATE = 2, SQUARE = 3 };

#define SECOND UINT64_C(1000000000)

static uint64_t now(const struct pit *pit)
{
    return pit->backend->now != NULL ? pit->backend->now() : 0;
}

static uint64_t counts_in(uint64_t ns)
{
    return ns / SECOND * PIT_HZ + ns % SECOND * PIT_HZ / SECOND;
}

/* The first nanosecond at which `counts` counts have passed. */
static uint64_t time_of(uint64_t counts)
{
    return counts / PIT_HZ * SECOND + (counts % PIT_HZ * SECOND + PIT_HZ - 1) / PIT_HZ;
}

static bool is_periodic(const struct pit_counter *c)
{
    return c->mode == RATE || c->mode == SQUARE;
}

static uint64_t passed(const struct pit_counter *c, uint64_t at)
{
    return at > c->begun ? counts_in(at - c->begun) : 0;
}

static uint16_t count_of(const struct pit_counter *c, uint64_t at)
{
    uint64_t n = passed(c, at);

    if (c->reload == 0)
        return 0;
    if (c->mode == SQUARE) /* counts down by two, twice in each period */
        return (uint16_t)(c->reload - n * 2 % c->reload);
    return (uint16_t)(c->reload - (is_periodic(c) ? n % c->reload : n));
}

static bool output_of(const struct pit_counter *c, uint64_t at)
{
    uint64_t n = passed(c, at);

    if (c->reload == 0)
        return c->mode != 0;
    if (c->mode == SQUARE)
        return n % c->reload < (c->reload + 1) / 2;
    return c->mode == RATE ? n % c->reload != c->reload - 1 : n >= c->reload;
}

static uint64_t due(const struct pit_counter *c)
{
    if (c->reload == 0 || (c->mode != 0 && !is_periodic(c)) || (c->mode == 0 && c->periods > 0))
        return PIT_NEVER;
    return c->begun + time_of((c->periods + 1) * c->reload);
}

uint64_t pit_due(struct pit *pit)
{
    LOCK_FOR_BLOCK(&pit->lock);

    return due(&pit->state.counters[0]);
}

void pit_tick(struct pit *pit)
{
    struct pit_counter *c = &pit->state.counters[0];
    uint64_t at;

    lock_take(&pit->lock);
    if (due(c) != PIT_NEVER && due(c) <= (at = now(pit))) {
        c->periods = passed(c, at) / c->reload;
        irq_set(&pit->irq, true);
        irq_set(&pit->irq, false);
    }
    lock_release(&pit->lock);
    pit->backend->alarm(pit->backend->context);
}

static void begin(struct pit *pit, struct pit_counter *c, uint32_t count)
{
    c->reload = count == 0 ? LONGEST : count;
    c->begun = now(pit);
    c->periods = 0;
}

static void write_count(struct pit *pit, struct pit_counter *c, uint8_t byte)
{
    switch (c->halves) {
    case 1:
        begin(pit, c, byte);
        break;
    case 2:
        begin(pit, c, (uint32_t)byte << 8);
        break;
    case BOTH:
        if (c->low_given)
            begin(pit, c, (uint32_t)byte << 8 | c->low);
        c->low = byte;
        c->low_given = !c->low_given;
        break;
    default: /* no control word yet */
        break;
    }
}

static void latch_count(struct pit_counter *c, uint64_t at)
{
    if (c->latched > 0)
        return;
    c->latch = count_of(c, at);
    c->latched = c->halves == BOTH ? 2 : 1;
    c->reads_high = c->halves == 2;
}

static void latch_status(struct pit_counter *c, uint64_t at)
{
    if (c->status_latched)
        return;
    c->status = (uint8_t)((output_of(c, at) ? STATUS_OUT : 0) |
                          (c->reload == 0 ? STATUS_NULL_COUNT : 0) | c->halves << 4 | c->mode << 1);
    c->status_latched = true;
}

static void read_back(struct pit *pit, uint8_t word)
{
    uint64_t at = now(pit);

    for (unsigned i = 0; i < PIT_COUNTERS; i++) {
        if (!(word >> (i + 1) & 1))
            continue;
        if (!(word & READ_BACK_NO_STATUS))
            latch_status(&pit->state.counters[i], at);
        if (!(word & READ_BACK_NO_COUNT))
            latch_count(&pit->state.counters[i], at);
    }
}

static void control(struct pit *pit, uint8_t word)
{
    unsigned which = word >> 6, halves = word >> 4 & 3, mode = word >> 1 & 7;

    if (which == READ_BACK)
        read_back(pit, word);
    else if (halves == 0)
        latch_count(&pit->state.counters[which], now(pit));
    else
        pit->state.counters[which] = (struct pit_counter){
            .halves = (uint8_t)halves, .mode = (uint8_t)(mode > 5 ? mode - 4 : mode)};
}

static uint8_t read_count(struct pit *pit, struct pit_counter *c)
{
    uint16_t count;
    bool high;

    if (c->status_latched) {
        c->status_latched = false;
        return c->status;
    }
    count = c->latched > 0 ? c->latch : count_of(c, now(pit));
    high = c->halves == 2 || (c->halves == BOTH && c->reads_high);
    c->latched -= c->latched > 0;
    c->reads_high = c->halves == BOTH && !c->reads_high;
    return (uint8_t)(high ? count >> 8 : count);
}

static enum verdict pit_access(void *device, struct bus_access *access)
{
    struct pit *pit = device;
    uint64_t before, after;

    lock_take(&pit->lock);
    before = due(&pit->state.counters[0]);
    if (access->write && access->offset == CONTROL)
        control(pit, access->data[0]);
    else if (access->write)
        write_count(pit, &pit->state.counters[access->offset], access->data[0]);
    else if (access->offset == CONTROL)
        access->data[0] = 0xff; /* write-only */
    else
        access->data[0] = read_count(pit, &pit->state.counters[access->offset]);
    after = due(&pit->state.counters[0]);
    lock_release(&pit->lock);
    if (before != after)
        pit->backend->alarm(pit->backend->context);
    return VERDICT_RESUME;
}

static bool is_sound(const void *saved)
{
    struct pit_state s;

    memcpy(&s, saved, sizeof s);
    for (unsigned i = 0; i < PIT_COUNTERS; i++)
        if (s.counters[i].reload > LONGEST || s.counters[i].mode > 5 ||
            s.counters[i].halves > BOTH || s.counters[i].latched > 2 ||
            s.counters[i].periods > UINT32_MAX || s.counters[i].begun > INT64_MAX)
            return false;
    return true;
}

static void on_load(void *device)
{
    struct pit *pit = device;

    pit->backend->alarm(pit->backend->context);
}

static const char *const names[PIT_PORTS] = {"counter 0", "counter 1", "counter 2", "control"};
static const struct bus_registers registers = {.read = BUS_NAMES(names),
                                               .written = BUS_NAMES(names)};
static const struct bus_state state = {
    .version = 1, BUS_STATE_OF(struct pit), .is_sound = is_sound, .told = on_load};

const struct bus_ops pit_ops = {.name = "interval timer",
                                .registers = &registers,
                                .width = 1,
                                .access = pit_access,
                                .state = &state};

void pit_init(struct pit *pit, const struct backend *backend, struct irq_line irq)
{
    *pit = (struct pit){.backend = backend, .irq = irq};
    lock_init(&pit->lock);
}
