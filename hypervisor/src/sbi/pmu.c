/*
 * PMU (SBI 11): firmware counters only. What the hypervisor does for a vCPU is counted in
 * v->fw_events all the time; a counter is a window on one of them. There are no hardware counters.
 */
#include "sbi/extension.h"

enum { TYPE_FIRMWARE = 15, TYPE_SHIFT = 16 };
enum { MATCH_SKIP = 1, MATCH_CLEAR = 2, MATCH_START = 4 };
enum { START_SET_VALUE = 1, STOP_RESET = 1 };
#define INFO_FIRMWARE (1ul << 63)

/* The events that sbi_count() counts. For a guest the others do not exist.
 */
static const uint32_t counted =
    1u << EVENT_SET_TIMER | 1u << EVENT_IPI_SENT | 1u << EVENT_IPI_RECEIVED |
    1u << EVENT_FENCE_I_SENT | 1u << EVENT_FENCE_I_RECEIVED | 1u << EVENT_SFENCE_SENT |
    1u << EVENT_SFENCE_RECEIVED | 1u << EVENT_SFENCE_ASID_SENT | 1u << EVENT_SFENCE_ASID_RECEIVED;

void sbi_count(struct vcpu *v, enum sbi_event event)
{
    __atomic_fetch_add(&v->fw_events[event], 1, __ATOMIC_RELAXED);
}

static uint64_t events(const struct vcpu *v, unsigned event)
{
    return __atomic_load_n(&v->fw_events[event], __ATOMIC_RELAXED);
}

static uint64_t value_of(const struct vcpu *v, const struct fw_counter *c)
{
    return c->value + (c->running ? events(v, c->event) - c->started_at : 0);
}

/* The counters in `mask`, from counter `base` on; false if one of them does not exist. */
static bool counter_mask(uint64_t base, uint64_t mask, uint64_t *counters)
{
    if (mask == 0 || base >= FW_COUNTERS)
        return false;
    *counters = mask << base;
    return *counters >> base == mask && *counters >> FW_COUNTERS == 0;
}

static int start_one(struct vcpu *v, struct fw_counter *c, bool set, uint64_t value)
{
    if (!c->used)
        return SBI_INVALID_PARAM;
    if (c->running)
        return SBI_ALREADY_STARTED;
    if (set)
        c->value = value;
    c->started_at = events(v, c->event);
    c->running = true;
    return SBI_SUCCESS;
}

static int stop_one(struct vcpu *v, struct fw_counter *c, bool reset)
{
    if (!c->used)
        return SBI_INVALID_PARAM;
    if (!c->running && !reset)
        return SBI_ALREADY_STOPPED;
    c->value = value_of(v, c);
    c->running = false;
    if (reset)
        *c = (struct fw_counter){0};
    return SBI_SUCCESS;
}

static struct sbi_result match(struct vcpu *v, const uint64_t a[6])
{
    uint64_t counters, event = a[3] & 0xffff;

    if (!counter_mask(a[0], a[1], &counters))
        return sbi_error(SBI_INVALID_PARAM);
    if (a[3] >> TYPE_SHIFT != TYPE_FIRMWARE || event >= FW_EVENTS || (counted >> event & 1) == 0)
        return sbi_error(SBI_NOT_SUPPORTED);
    for (; counters != 0; counters &= counters - 1) {
        unsigned index = lowest_bit(counters);
        struct fw_counter *c = &v->fw_counters[index];

        if (c->used != ((a[2] & MATCH_SKIP) != 0))
            continue;
        c->used = true;
        c->event = (unsigned)event;
        if (a[2] & MATCH_CLEAR)
            c->value = 0;
        if ((a[2] & MATCH_START) && !c->running)
            (void)start_one(v, c, false, 0); /* cannot fail: used and not running */
        return sbi_value(index);
    }
    return sbi_error(SBI_NOT_SUPPORTED);
}

static struct sbi_result start_or_stop(struct vcpu *v, uint64_t function, const uint64_t a[6])
{
    uint64_t counters;
    int result = SBI_SUCCESS;

    if (!counter_mask(a[0], a[1], &counters))
        return sbi_error(SBI_INVALID_PARAM);
    for (; counters != 0; counters &= counters - 1) {
        struct fw_counter *c = &v->fw_counters[lowest_bit(counters)];
        int error = function == PMU_START ? start_one(v, c, (a[2] & START_SET_VALUE) != 0, a[3])
                                          : stop_one(v, c, (a[2] & STOP_RESET) != 0);

        if (result == SBI_SUCCESS)
            result = error;
    }
    return sbi_error(result);
}

struct sbi_result sbi_pmu(struct vcpu *v, uint64_t function, const uint64_t a[6])
{
    switch (function) {
    case PMU_COUNTERS:
        return sbi_value(FW_COUNTERS);
    case PMU_INFO:
        return a[0] < FW_COUNTERS ? sbi_value(INFO_FIRMWARE) : sbi_error(SBI_INVALID_PARAM);
    case PMU_MATCH:
        return match(v, a);
    case PMU_START:
    case PMU_STOP:
        return start_or_stop(v, function, a);
    case PMU_FW_READ:
        if (a[0] >= FW_COUNTERS || !v->fw_counters[a[0]].used)
            return sbi_error(SBI_INVALID_PARAM);
        return sbi_value(value_of(v, &v->fw_counters[a[0]]));
    case PMU_FW_READ_HI: /* upper half for 32-bit guests: always 0 here */
        return a[0] < FW_COUNTERS ? sbi_value(0) : sbi_error(SBI_INVALID_PARAM);
    default:
        return sbi_error(SBI_NOT_SUPPORTED);
    }
}
