/*
 * The battery-backed clock of a PC, behind ports 0x70 and 0x71, with interrupt 8: Motorola
 * MC146818A. It shows the host's clock, UTC; what the guest sets is kept as a difference to it.
 * Periodic, alarm and update-ended interrupts; no square wave, no daylight saving.
 */
#ifndef DEV_RTC_H
#define DEV_RTC_H

#include "dev/bus.h"
#include "dev/irq.h"
#include "host/threads.h"

#define RTC_PORT 0x70
enum { RTC_PORTS = 2, RTC_BYTES = 128, RTC_IRQ = 8 };

#define RTC_NEVER UINT64_MAX

struct rtc_state {
    int64_t ahead; /* of the host's clock, seconds */
    uint64_t seen; /* the host's clock when the flags were last brought up to date, nanoseconds */
    uint8_t index, a, b, c;   /* registers A to C */
    uint8_t bytes[RTC_BYTES]; /* the alarm, what the guest keeps, and the time while it is set */
    uint8_t reserved[4];
};

struct rtc {
    const struct backend *backend; /* its wall(): NULL: the clock stands at 1970 */
    struct irq_line irq;
    struct lock lock;
    struct rtc_state state; /* under the lock */
};

extern const struct bus_ops rtc_ops;

void rtc_init(struct rtc *rtc, const struct backend *backend, struct irq_line irq);

/* Writes what firmware expects in the clock's memory: the size of RAM below 4 GB and in total, and
 * the number of CPUs. */
void rtc_describe(struct rtc *rtc, uint64_t low_end, uint64_t ram, unsigned cpus);
/* The machine wakes from S3: sets the shutdown status byte that firmware reads. */
void rtc_note_wake(struct rtc *rtc);

/* When rtc_tick has to be called next, by backend.wall(), or RTC_NEVER. backend.alarm says that
 * this has changed. */
uint64_t rtc_due(struct rtc *rtc);
/* Raises the interrupts that are due. True: the alarm's is among them. */
bool rtc_tick(struct rtc *rtc);

#endif
