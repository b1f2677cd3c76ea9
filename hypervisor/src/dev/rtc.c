/* A guest's clock; see rtc.h. */
#include "dev/rtc.h"

#include "cpu/hyp.h"
#include "host/machine.h"

enum reg {
    TIME_LOW = 0x00, /* a read of it keeps the high half for the next */
    TIME_HIGH = 0x04,
    ALARM_LOW = 0x08, /* a write of it sets the alarm */
    ALARM_HIGH = 0x0c,
    IRQ_ENABLED = 0x10,
    CLEAR_ALARM = 0x14,
    ALARM_STATUS = 0x18,
    CLEAR_INTERRUPT = 0x1c
};

static uint64_t now(const struct rtc *r)
{
    return machine_time(hyp_time()) + r->offset;
}

static void update(struct rtc *r)
{
    irq_set(&r->irq, r->fired && r->enabled);
}

void rtc_reset(struct rtc *r)
{
    *r = (struct rtc){.irq = r->irq};
    update(r);
}

uint64_t rtc_due(const struct rtc *r)
{
    uint64_t at = now(r), left = r->alarm - at;

    if (!r->armed)
        return ~0ul;
    if (r->alarm <= at)
        return hyp_time();
    /* A year at most: it is asked again then. */
    return hyp_time() + 1 + machine_ticks(min64(left, 365ul * 86400 * NANOSECONDS));
}

void rtc_tick(struct rtc *r)
{
    if (!r->armed || r->alarm > now(r))
        return;
    r->armed = false;
    r->fired = true;
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
        r->time_high = (uint32_t)(time >> 32);
        return (uint32_t)time;
    case TIME_HIGH:
        return r->time_high;
    case ALARM_LOW:
        return (uint32_t)r->alarm;
    case ALARM_HIGH:
        return r->alarm >> 32;
    case IRQ_ENABLED:
        return r->enabled;
    case ALARM_STATUS:
        return r->armed;
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
        r->offset = ((uint64_t)r->time_high << 32 | value) - machine_time(hyp_time());
        break;
    case TIME_HIGH:
        r->time_high = (uint32_t)value;
        break;
    case ALARM_LOW:
        r->alarm = (uint64_t)r->alarm_high << 32 | value;
        r->armed = true;
        break;
    case ALARM_HIGH:
        r->alarm_high = (uint32_t)value;
        break;
    case IRQ_ENABLED:
        r->enabled = (value & 1) != 0;
        break;
    case CLEAR_ALARM:
        r->armed = false;
        break;
    case CLEAR_INTERRUPT:
        r->fired = false;
        break;
    default:
        break;
    }
    rtc_tick(r);
    update(r);
}

const struct device_ops rtc_ops = {.name = "RTC", .read = read, .write = write};
