/* The clock of a PC; see rtc.h. Section and table numbers are the MC146818A data sheet's. */
#include "dev/rtc.h"

#include <stddef.h>
#include <string.h>

enum {
    SECONDS = 0,
    SECONDS_ALARM = 1,
    MINUTES = 2,
    MINUTES_ALARM = 3,
    HOURS = 4,
    HOURS_ALARM = 5,
    WEEKDAY = 6,
    DAY = 7,
    MONTH = 8,
    YEAR = 9,
    STATUS_A = 10,
    STATUS_B = 11,
    STATUS_C = 12,
    STATUS_D = 13,
    CENTURY = 0x32,
    INDEX_MASK = RTC_BYTES - 1,
};

enum { A_UPDATING = 0x80, A_RATE = 0x0f, A_32768_HZ = 0x26, A_WRITABLE = 0x7f };
enum {
    B_24_HOURS = 0x02,
    B_BINARY = 0x04,
    B_INTERRUPTS = 0x70,
    B_SET = 0x80,
    B_SQUARE_WAVE = 0x08
};
/* The flags of C are at the same bits as their enable bits in B. */
enum { PERIODIC = 0x40, ALARM = 0x20, UPDATE_ENDED = 0x10, C_INTERRUPT = 0x80 };
enum { D_VALID = 0x80, PM = 0x80, DONT_CARE = 0xc0, BASE_HZ = 32768 };
enum { SECONDS_A_DAY = 86400, THURSDAY = 5 /* 1 January 1970; Sunday is 1 */, YEAR_MAX = 9999 };

#define SECOND          UINT64_C(1000000000) /* in nanoseconds */
#define UPDATING_BEFORE 244000               /* ns before a new second: "update in progress" */

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

/* `days` since 1 January 1970. The loop is short because the host's clock is near the present. */
static struct date date_of(uint64_t days)
{
    struct date d = {1970, 1, 1};

    while (d.year < YEAR_MAX && days >= 365u + leap(d.year)) {
        days -= 365u + leap(d.year);
        d.year++;
    }
    while (d.month < 12 && days >= month_days(d.month, d.year)) {
        days -= month_days(d.month, d.year);
        d.month++;
    }
    d.day += (unsigned)days;
    return d;
}

static uint64_t days_of(struct date d)
{
    uint64_t days = d.day - 1;

    for (unsigned year = 1970; year < d.year; year++)
        days += 365u + leap(year);
    for (unsigned month = 1; month < d.month; month++)
        days += month_days(month, d.year);
    return days;
}

static uint64_t wall(const struct rtc *rtc)
{
    return rtc->backend->wall != NULL ? rtc->backend->wall() : 0;
}

/* The guest's clock, in seconds since 1970. */
static uint64_t guest_time(const struct rtc *rtc, uint64_t host)
{
    int64_t now = (int64_t)(host / SECOND) + rtc->state.ahead;

    return now > 0 ? (uint64_t)now : 0;
}

static uint8_t encode(const struct rtc_state *s, unsigned value)
{
    return (uint8_t)(s->b & B_BINARY ? value : (value / 10 % 10) << 4 | value % 10);
}

static unsigned decode(const struct rtc_state *s, uint8_t byte)
{
    return s->b & B_BINARY ? byte : (byte >> 4) * 10u + (byte & 15);
}

static uint8_t encode_hour(const struct rtc_state *s, unsigned hour)
{
    if (s->b & B_24_HOURS)
        return encode(s, hour);
    return encode(s, hour % 12 == 0 ? 12 : hour % 12) | (hour >= 12 ? PM : 0);
}

static unsigned decode_hour(const struct rtc_state *s, uint8_t byte)
{
    if (s->b & B_24_HOURS)
        return decode(s, byte);
    return decode(s, byte & ~PM) % 12 + (byte & PM ? 12 : 0);
}

/* Writes the nine bytes that give the time: 3.1, "time, calendar and alarm locations". */
static void show(const struct rtc_state *s, uint64_t now, uint8_t bytes[RTC_BYTES])
{
    struct date date = date_of(now / SECONDS_A_DAY);

    bytes[SECONDS] = encode(s, now % 60);
    bytes[MINUTES] = encode(s, now / 60 % 60);
    bytes[HOURS] = encode_hour(s, now / 3600 % 24);
    bytes[WEEKDAY] = (uint8_t)((now / SECONDS_A_DAY + THURSDAY - 1) % 7 + 1);
    bytes[DAY] = encode(s, date.day);
    bytes[MONTH] = encode(s, date.month);
    bytes[YEAR] = encode(s, date.year % 100);
    bytes[CENTURY] = encode(s, date.year / 100);
}

/* Keeps a value in the calendar's range, whatever the guest wrote. */
static unsigned within(unsigned value, unsigned low, unsigned high)
{
    return value < low ? low : value > high ? high : value;
}

static void set_time(struct rtc *rtc, const uint8_t bytes[RTC_BYTES])
{
    struct rtc_state *s = &rtc->state;
    struct date date = {
        .year = within(decode(s, bytes[CENTURY]) * 100 + decode(s, bytes[YEAR]), 1970, YEAR_MAX),
        .month = within(decode(s, bytes[MONTH]), 1, 12)};
    uint64_t now;

    date.day = within(decode(s, bytes[DAY]), 1, month_days(date.month, date.year));
    now = days_of(date) * SECONDS_A_DAY + within(decode_hour(s, bytes[HOURS]), 0, 23) * 3600 +
          within(decode(s, bytes[MINUTES]), 0, 59) * 60 + within(decode(s, bytes[SECONDS]), 0, 59);
    s->ahead = (int64_t)now - (int64_t)(wall(rtc) / SECOND);
}

static bool alarm_field(uint8_t alarm, uint8_t now)
{
    return (alarm & DONT_CARE) == DONT_CARE || alarm == now;
}

static bool alarm_matches(const struct rtc_state *s, uint64_t now)
{
    return alarm_field(s->bytes[SECONDS_ALARM], encode(s, now % 60)) &&
           alarm_field(s->bytes[MINUTES_ALARM], encode(s, now / 60 % 60)) &&
           alarm_field(s->bytes[HOURS_ALARM], encode_hour(s, now / 3600 % 24));
}

/* Nanoseconds between two periodic interrupts (table 5); 0: they are off. */
static uint64_t period(const struct rtc_state *s)
{
    unsigned rate = s->a & A_RATE;

    if (rate == 0)
        return 0;
    return SECOND * (UINT64_C(1) << ((rate <= 2 ? rate + 7 : rate) - 1)) / BASE_HZ;
}

/* Sets the flags for everything since the last update. A day is enough to find any alarm. */
static void update(struct rtc *rtc)
{
    struct rtc_state *s = &rtc->state;
    uint64_t host = wall(rtc), each = period(s), before = s->seen, now = guest_time(rtc, host);
    uint64_t seconds = host > before ? host / SECOND - before / SECOND : 0;

    s->seen = host;
    if (host < before)
        return; /* the host's clock was set back */
    if (each > 0 && host / each != before / each)
        s->c |= PERIODIC;
    if (seconds > 0 && !(s->b & B_SET)) {
        s->c |= UPDATE_ENDED;
        for (uint64_t i = 0; i < seconds && i < SECONDS_A_DAY && i < now && !(s->c & ALARM); i++)
            s->c |= alarm_matches(s, now - i) ? ALARM : 0;
    }
    if (s->c & s->b & B_INTERRUPTS)
        s->c |= C_INTERRUPT;
    irq_set(&rtc->irq, s->c & C_INTERRUPT);
}

/* The lock is held. */
static uint64_t due(struct rtc *rtc)
{
    const struct rtc_state *s = &rtc->state;
    uint64_t at = RTC_NEVER, each = period(s), second = (s->seen / SECOND + 1) * SECOND;

    if (s->c & C_INTERRUPT)
        return RTC_NEVER; /* the next interrupt comes after the guest has read C */
    if ((s->b & PERIODIC) && each > 0)
        at = (s->seen / each + 1) * each;
    if ((s->b & (ALARM | UPDATE_ENDED)) && !(s->b & B_SET) && second < at)
        at = second;
    return at;
}

uint64_t rtc_due(struct rtc *rtc)
{
    uint64_t at;

    lock_take(&rtc->lock);
    at = due(rtc);
    lock_release(&rtc->lock);
    return at;
}

bool rtc_tick(struct rtc *rtc)
{
    uint8_t before;
    bool alarm;

    lock_take(&rtc->lock);
    before = rtc->state.c;
    if (due(rtc) != RTC_NEVER)
        update(rtc);
    alarm = rtc->state.c & ~before & rtc->state.b & ALARM;
    lock_release(&rtc->lock);
    return alarm;
}

static bool is_time(uint8_t index)
{
    return index <= YEAR ? index != SECONDS_ALARM && index != MINUTES_ALARM && index != HOURS_ALARM
                         : index == CENTURY;
}

static uint8_t read_register(struct rtc *rtc)
{
    struct rtc_state *s = &rtc->state;
    uint8_t bytes[RTC_BYTES], flags;
    uint64_t host = wall(rtc);

    switch (s->index) {
    case STATUS_A:
        return s->a |
               (!(s->b & B_SET) && host % SECOND >= SECOND - UPDATING_BEFORE ? A_UPDATING : 0);
    case STATUS_B:
        return s->b;
    case STATUS_C:
        update(rtc);
        flags = s->c;
        s->c = 0;
        irq_set(&rtc->irq, false);
        return flags;
    case STATUS_D:
        return D_VALID;
    }
    if (!is_time(s->index) || (s->b & B_SET))
        return s->bytes[s->index];
    show(s, guest_time(rtc, host), bytes);
    return bytes[s->index];
}

/* While B_SET is set, the time is not updated: the guest writes it to `bytes`. */
static void write_status_b(struct rtc *rtc, uint8_t value)
{
    struct rtc_state *s = &rtc->state;

    if ((value & B_SET) && !(s->b & B_SET))
        show(s, guest_time(rtc, wall(rtc)), s->bytes);
    if (!(value & B_SET) && (s->b & B_SET)) {
        s->b = value; /* set_time reads it in the format of the new value */
        set_time(rtc, s->bytes);
    }
    s->b = value & (B_SET | B_INTERRUPTS | B_SQUARE_WAVE | B_BINARY | B_24_HOURS);
}

static void write_register(struct rtc *rtc, uint8_t value)
{
    struct rtc_state *s = &rtc->state;
    uint8_t bytes[RTC_BYTES];

    update(rtc);
    switch (s->index) {
    case STATUS_A:
        s->a = value & A_WRITABLE;
        break;
    case STATUS_B:
        write_status_b(rtc, value);
        break;
    case STATUS_C:
    case STATUS_D:
        break; /* read-only */
    default:
        if (is_time(s->index) && !(s->b & B_SET)) {
            show(s, guest_time(rtc, wall(rtc)), bytes);
            bytes[s->index] = value;
            set_time(rtc, bytes);
        } else
            s->bytes[s->index] = value;
    }
    update(rtc); /* a flag that was set before may be enabled now */
}

static enum verdict rtc_access(void *device, struct bus_access *access)
{
    struct rtc *rtc = device;
    struct rtc_state *s = &rtc->state;
    uint64_t before, after;

    lock_take(&rtc->lock);
    before = due(rtc);
    if (access->offset == 0 && access->write)
        s->index = access->data[0] & INDEX_MASK; /* bit 7 gates the NMI, which nothing raises */
    else if (access->offset == 0)
        access->data[0] = 0xff; /* write-only on a PC */
    else if (access->write)
        write_register(rtc, access->data[0]);
    else
        access->data[0] = read_register(rtc);
    after = due(rtc);
    lock_release(&rtc->lock);
    if (before != after)
        rtc->backend->alarm(rtc->backend->context);
    return VERDICT_RESUME;
}

/* A reset does not change its memory and time, which a battery keeps. */
static void rtc_reset(void *device)
{
    struct rtc *rtc = device;

    lock_take(&rtc->lock);
    rtc->state.index = 0;
    rtc->state.b &= (uint8_t) ~(B_INTERRUPTS | B_SQUARE_WAVE);
    rtc->state.c = 0;
    irq_set(&rtc->irq, false);
    lock_release(&rtc->lock);
}

static void put_number(struct rtc *rtc, unsigned at, uint64_t value, unsigned width)
{
    for (unsigned i = 0; i < width; i++)
        rtc->state.bytes[at + i] = (uint8_t)(value >> 8 * i);
}

void rtc_describe(struct rtc *rtc, uint64_t low_end, uint64_t ram, unsigned cpus)
{
    enum { BASE = 0x15, EXTENDED = 0x17, EXTENDED_AGAIN = 0x30, ABOVE_16M = 0x34 };
    enum { ABOVE_4G = 0x5b, OTHER_CPUS = 0x5f, BASE_KIB = 640, WORD_MAX = 0xffff };
    uint64_t extended = (low_end - MIB) / KIB;
    uint64_t above = low_end > 16 * MIB ? (low_end - 16 * MIB) / (64 * KIB) : 0;

    if (extended > WORD_MAX)
        extended = WORD_MAX;
    put_number(rtc, BASE, BASE_KIB, 2);
    put_number(rtc, EXTENDED, extended, 2);
    put_number(rtc, EXTENDED_AGAIN, extended, 2);
    put_number(rtc, ABOVE_16M, above, 2);
    put_number(rtc, ABOVE_4G, (ram - low_end) / (64 * KIB), 3);
    put_number(rtc, OTHER_CPUS, cpus - 1, 1);
}

void rtc_note_wake(struct rtc *rtc)
{
    enum { SHUTDOWN = 0x0f, S3 = 0xfe };
    LOCK_FOR_BLOCK(&rtc->lock);

    rtc->state.bytes[SHUTDOWN] = S3;
}

static const char *const names[RTC_PORTS] = {"index", "data"};
static const struct bus_registers registers = {.read = BUS_NAMES(names),
                                               .written = BUS_NAMES(names)};

static bool is_sound(const void *saved)
{
    struct rtc_state s;

    memcpy(&s, saved, sizeof s);
    return s.index <= INDEX_MASK && s.ahead <= INT64_MAX / 2 && s.ahead >= INT64_MIN / 2;
}

static void on_load(void *device)
{
    struct rtc *rtc = device;

    irq_restore(&rtc->irq, rtc->state.c & C_INTERRUPT);
    rtc->backend->alarm(rtc->backend->context);
}

static const struct bus_state state = {
    .version = 2, BUS_STATE_OF(struct rtc), .is_sound = is_sound, .told = on_load};

const struct bus_ops rtc_ops = {.name = "rtc",
                                .registers = &registers,
                                .width = 1,
                                .access = rtc_access,
                                .state = &state,
                                .reset = rtc_reset};

void rtc_init(struct rtc *rtc, const struct backend *backend, struct irq_line irq)
{
    *rtc = (struct rtc){.backend = backend, .irq = irq};
    rtc->state.a = A_32768_HZ;
    rtc->state.b = B_24_HOURS;
    rtc->state.seen = wall(rtc);
    lock_init(&rtc->lock);
}
