/* The battery-backed wall clock. */
#ifndef HLEOS_TIMER_RTC_H
#define HLEOS_TIMER_RTC_H

struct rtc_date {
    unsigned year, month, day, hour, minute, second;
};

/* 0, or -1 if the clock has no valid time. */
int rtc_date(struct rtc_date *date) __attribute__((warn_unused_result));

#endif
