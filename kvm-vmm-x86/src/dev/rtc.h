/* The battery-backed clock of a PC, behind ports 0x70 and 0x71: Motorola MC146818. Reading only:
 * what the guest writes to the time is dropped, the host's clock goes on. No alarm, no interrupt.
 */
#ifndef DEV_RTC_H
#define DEV_RTC_H

#include "dev/bus.h"
#include "host/threads.h"

#define RTC_PORT 0x70
enum { RTC_PORTS = 2, RTC_BYTES = 128 };

struct rtc_state {
    uint8_t index;
    uint8_t bytes[RTC_BYTES]; /* what the guest keeps there */
};

struct rtc {
    uint64_t (*seconds)(void); /* since 1970, UTC; NULL: the clock stands at 1970 */
    struct lock lock;
    struct rtc_state state; /* under the lock */
};

extern const struct bus_ops rtc_ops;

void rtc_init(struct rtc *rtc, uint64_t (*seconds)(void));

#endif
