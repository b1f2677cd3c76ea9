/*
 * A guest's clock: the goldfish RTC (registers as in the Linux kernel's rtc-goldfish and QEMU's
 * device tree binding google,goldfish-rtc), in nanoseconds since 1970 by the machine's own clock.
 * A guest may set its own, and an alarm.
 */
#ifndef DEV_RTC_H
#define DEV_RTC_H

#include "dev/device.h"

#define RTC_SIZE 0x1000ul

/* All state that a driver can change: plain data, which is saved. */
struct rtc_state {
    uint64_t offset;                /* the guest's time - the machine's */
    uint64_t alarm;                 /* the guest's time */
    uint32_t time_high, alarm_high; /* half a register pair, until the other half comes */
    uint8_t armed, enabled, fired;  /* 0 or 1 */
};

struct rtc {
    struct irq_line irq;
    struct rtc_state state;
};

extern const struct device_ops rtc_ops; /* state: struct rtc */

void rtc_reset(struct rtc *rtc);
void rtc_load(struct rtc *rtc, const struct rtc_state *state);
/* Host time at which rtc_tick() has to be called; ~0: never. */
uint64_t rtc_due(const struct rtc *rtc);
void rtc_tick(struct rtc *rtc);

#endif
