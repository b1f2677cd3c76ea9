/* The battery-backed clock: Motorola MC146818 datasheet; register 32h for the century is usual in
 * PCs. See rtc.h. */
#include "timer/rtc.h"

#include <stdbool.h>
#include <stdint.h>

#include "common/x86.h"
#include "cpu/lock.h"

enum { INDEX = 0x70, DATA = 0x71 };
enum {
    SECONDS = 0,
    MINUTES = 2,
    HOURS = 4,
    DAY = 7,
    MONTH = 8,
    YEAR = 9,
    STATUS_A = 10,
    STATUS_B = 11,
    CENTURY = 0x32
};
enum { UPDATE_IN_PROGRESS = 0x80, BINARY = 4, HOURS_24 = 2, AFTERNOON = 0x80 };
enum { LOOKS = 100000, TRIES = 8 };

static struct lock lock = LOCK_INIT("rtc", LOCK_REGISTER);

/* Bit 7 of the index port masks NMIs; each write here leaves it 0, so NMIs stay enabled. */
static uint8_t read(uint8_t reg)
{
    uint64_t flags = lock_take(&lock);
    uint8_t value;

    x86_out8(INDEX, reg);
    value = x86_in8(DATA);
    lock_give(&lock, flags);
    return value;
}

static bool wait_for_update(void)
{
    for (int look = 0; look < LOOKS; look++)
        if (!(read(STATUS_A) & UPDATE_IN_PROGRESS))
            return true;
    return false;
}

static unsigned number(uint8_t raw, uint8_t status_b)
{
    return status_b & BINARY ? raw : (raw >> 4) * 10u + (raw & 15);
}

static struct rtc_date read_once(void)
{
    uint8_t b = read(STATUS_B), hour = read(HOURS);
    unsigned century = number(read(CENTURY), b);
    struct rtc_date d = {.second = number(read(SECONDS), b),
                         .minute = number(read(MINUTES), b),
                         .hour = number(hour & (uint8_t)~AFTERNOON, b),
                         .day = number(read(DAY), b),
                         .month = number(read(MONTH), b),
                         .year = number(read(YEAR), b)};

    if (!(b & HOURS_24))
        d.hour = d.hour % 12 + (hour & AFTERNOON ? 12 : 0);
    d.year += century >= 19 && century <= 21 ? century * 100 : 2000;
    return d;
}

static bool same(const struct rtc_date *a, const struct rtc_date *b)
{
    return a->second == b->second && a->minute == b->minute && a->hour == b->hour &&
           a->day == b->day && a->month == b->month && a->year == b->year;
}

static bool sensible(const struct rtc_date *d)
{
    return d->second < 60 && d->minute < 60 && d->hour < 24 && d->day >= 1 && d->day <= 31 &&
           d->month >= 1 && d->month <= 12;
}

/* Reads until two readings agree: then no update came in between. */
int rtc_date(struct rtc_date *date)
{
    for (int attempt = 0; attempt < TRIES; attempt++) {
        struct rtc_date second;

        if (!wait_for_update())
            return -1;
        *date = read_once();
        second = read_once();
        if (same(date, &second))
            return sensible(date) ? 0 : -1;
    }
    return -1;
}
