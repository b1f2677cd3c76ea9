/* A guest's clock; see rtc.h. */
#include "dev/rtc.h"

#include "cpu/hyp.h"
#include "host/machine.h"

enum reg {
    TIME_LOW = 0x00, /* a read latches the high half */
    TIME_HIGH = 0x04,
    ALARM_LOW = 0x08, /* a write sets the alarm */
    ALARM_HIGH = 0x0c,
    IRQ_ENABLED = 0x10,
    CLEAR_ALARM = 0x14,
    ALARM_STATUS = 0x18,
    CLEAR_INTERRUPT = 0x1c
};

static uint64_t now(const struct rtc *r)
{
    return machine_time(hyp_time()) + r->state.offset;
}

static void update(struct rtc *r)
{
    irq_set(&r->irq, r->state.fired && r->state.enabled);
}

void rtc_reset(struct rtc *r)
{
    *r = (struct rtc){.irq = r->irq};
    update(r);
}

void rtc_load(struct rtc *r, const struct rtc_state *state)
{
    r->state = *state;
    update(r);
}

uint64_t rtc_due(const struct rtc *r)
{
    uint64_t at = now(r), left = r->state.alarm - at;

    if (!r->state.armed)
        return ~0ul;
    if (r->state.alarm <= at)
        return hyp_time();
    /* At most a year from now; the caller asks again then. */
    return hyp_time() + 1 + machine_ticks(min64(left, 365ul * 86400 * NANOSECONDS));
}

void rtc_tick(struct rtc *r)
{
    if (!r->state.armed || r->state.alarm > now(r))
        return;
    r->state.armed = false;
    r->state.fired = true;
    update(r);
}

static uint64_t read(void *state, uint64_t offset, unsigned width)
{
    struct rtc *r = state;
    uint64_t time;

    if (width != 4)
        return 0;
    switch (offset) {
    case TIME_LOW:
        time = now(r);
        r->state.time_high = (uint32_t)(time >> 32);
        return (uint32_t)time;
    case TIME_HIGH:
        return r->state.time_high;
    case ALARM_LOW:
        return (uint32_t)r->state.alarm;
    case ALARM_HIGH:
        return r->state.alarm >> 32;
    case IRQ_ENABLED:
        return r->state.enabled;
    case ALARM_STATUS:
        return r->state.armed;
    default:
        return 0;
    }
}

static void write(void *state, uint64_t offset, unsigned width, uint64_t value)
{
    struct rtc *r = state;

    if (width != 4)
        return;
    switch (offset) {
    case TIME_LOW:
        r->state.offset = ((uint64_t)r->state.time_high << 32 | value) - machine_time(hyp_time());
        break;
    case TIME_HIGH:
        r->state.time_high = (uint32_t)value;
        break;
    case ALARM_LOW:
        r->state.alarm = (uint64_t)r->state.alarm_high << 32 | value;
        r->state.armed = true;
        break;
    case ALARM_HIGH:
        r->state.alarm_high = (uint32_t)value;
        break;
    case IRQ_ENABLED:
        r->state.enabled = (value & 1) != 0;
        break;
    case CLEAR_ALARM:
        r->state.armed = false;
        break;
    case CLEAR_INTERRUPT:
        r->state.fired = false;
        break;
    default:
        break;
    }
    rtc_tick(r);
    update(r);
}

const struct device_ops rtc_ops = {.name = "RTC", .read = read, .write = write};
