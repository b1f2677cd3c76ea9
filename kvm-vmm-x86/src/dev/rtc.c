/* MC146818 datasheet: registers 0 to 9 in BCD and 24 hours, status A to D; register 32h is the
 * century, as PCs have it. See rtc.h. */
#include "dev/rtc.h"

#include <stddef.h>

enum { VERSION = 1 }; /* of the saved state */
enum { SECONDS = 0, MINUTES = 2, HOURS = 4, WEEKDAY = 6, DAY = 7, MONTH = 8, YEAR = 9 };
enum { STATUS_A = 10, STATUS_B = 11, STATUS_C = 12, STATUS_D = 13, CENTURY = 0x32 };
enum { A_32768_HZ = 0x26, B_24_HOURS = 0x02, D_VALID = 0x80, INDEX_MASK = RTC_BYTES - 1 };
enum { SECONDS_A_DAY = 86400, THURSDAY = 5 /* 1 January 1970; Sunday is 1 */ };

struct date {
    unsigned year, month, day;
};

static bool leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned month_days(unsigned month, unsigned year)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && leap(year));
}

/* `days` since 1 January 1970. The host's clock is trusted to be of this millennium or so. */
static struct date date_of(uint64_t days)
{
    struct date d = {1970, 1, 1};

    while (days >= 365u + leap(d.year)) {
        days -= 365u + leap(d.year);
        d.year++;
    }
    while (days >= month_days(d.month, d.year)) {
        days -= month_days(d.month, d.year);
        d.month++;
    }
    d.day += (unsigned)days;
    return d;
}

static uint8_t bcd(uint64_t value)
{
    return (uint8_t)((value / 10 % 10) << 4 | value % 10);
}

static uint8_t read_register(const struct rtc *rtc)
{
    uint64_t now = rtc->seconds != NULL ? rtc->seconds() : 0;
    struct date date = date_of(now / SECONDS_A_DAY);

    switch (rtc->state.index) {
    case SECONDS:
        return bcd(now % 60);
    case MINUTES:
        return bcd(now / 60 % 60);
    case HOURS:
        return bcd(now / 3600 % 24);
    case WEEKDAY:
        return (uint8_t)((now / SECONDS_A_DAY + THURSDAY - 1) % 7 + 1);
    case DAY:
        return bcd(date.day);
    case MONTH:
        return bcd(date.month);
    case YEAR:
        return bcd(date.year % 100);
    case CENTURY:
        return bcd(date.year / 100);
    case STATUS_A:
        return A_32768_HZ; /* never in the middle of an update: each reading is of one moment */
    case STATUS_B:
        return B_24_HOURS;
    case STATUS_C:
        return 0;
    case STATUS_D:
        return D_VALID;
    default:
        return rtc->state.bytes[rtc->state.index];
    }
}

static enum verdict rtc_access(void *device, struct bus_access *access)
{
    struct rtc *rtc = device;
    struct rtc_state *s = &rtc->state;

    lock_take(&rtc->lock);
    if (access->offset == 0 && access->write)
        s->index = access->data[0] & INDEX_MASK; /* bit 7 gates the NMI, which nobody raises */
    else if (access->offset == 0)
        access->data[0] = 0xff; /* write-only on a PC */
    else if (access->write)
        s->bytes[s->index] = access->data[0];
    else
        access->data[0] = read_register(rtc);
    lock_release(&rtc->lock);
    return VERDICT_RESUME;
}

/* Its memory has a battery. */
static void rtc_reset(void *device)
{
    struct rtc *rtc = device;

    lock_take(&rtc->lock);
    rtc->state.index = 0;
    lock_release(&rtc->lock);
}

static void rtc_save(void *device, const char *name, struct chunk_writer *writer)
{
    struct rtc *rtc = device;

    lock_take(&rtc->lock);
    chunk_write(writer, name, VERSION, &rtc->state, sizeof rtc->state);
    lock_release(&rtc->lock);
}

static int rtc_load(void *device, const struct chunk *chunk, struct error *error)
{
    struct rtc *rtc = device;
    struct rtc_state state;

    if (chunk_copy(chunk, VERSION, &state, sizeof state, error) < 0)
        return -1;
    if (state.index > INDEX_MASK)
        return error_set(error, "the saved state of %s cannot be", chunk->name);
    lock_take(&rtc->lock);
    rtc->state = state;
    lock_release(&rtc->lock);
    return 0;
}

static const char *const names[RTC_PORTS] = {"index", "data"};
static const struct bus_registers registers = {.read = BUS_NAMES(names),
                                               .written = BUS_NAMES(names)};

const struct bus_ops rtc_ops = {.name = "rtc",
                                .registers = &registers,
                                .width = 1,
                                .access = rtc_access,
                                .reset = rtc_reset,
                                .save = rtc_save,
                                .load = rtc_load};

void rtc_init(struct rtc *rtc, uint64_t (*seconds)(void))
{
    *rtc = (struct rtc){.seconds = seconds};
    lock_init(&rtc->lock);
}
