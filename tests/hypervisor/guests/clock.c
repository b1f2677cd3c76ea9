/* The clock's alarm: it comes when it is due, once, and not when it was taken back. */
#include "tests/hypervisor/guests/lib/guest.h"

#define PENDING (*(volatile uint32_t *)0x0c001000 >> 11 & 1)

static volatile uint32_t *const clock = (volatile uint32_t *)0x10010000;
enum { TIME_LOW, TIME_HIGH, ALARM_LOW, ALARM_HIGH, ENABLED, CLEAR_ALARM, ARMED, CLEAR_INTERRUPT };

static uint64_t time_now(void)
{
    uint64_t low = clock[TIME_LOW];

    return low | (uint64_t)clock[TIME_HIGH] << 32;
}

static uint64_t set_alarm(uint64_t in)
{
    uint64_t at = time_now() + in;

    clock[ALARM_HIGH] = (uint32_t)(at >> 32);
    clock[ALARM_LOW] = (uint32_t)at;
    return at;
}

int main(void);

int main(void)
{
    uint64_t start = time_now(), at;

    expect(start / 1000000000 > 1700000000);
    clock[ENABLED] = 1;
    at = set_alarm(20000000);
    expect((PENDING == 0 && clock[ARMED] == 1) || time_now() >= at); /* a late one has come */
    wait_until(PENDING == 1);
    expect(time_now() >= at && clock[ARMED] == 0);
    clock[CLEAR_INTERRUPT] = 1;
    expect(PENDING == 0);
    for (bool late = true; late;) { /* until it is taken back before it is due */
        clock[CLEAR_INTERRUPT] = 1;
        at = set_alarm(20000000);
        clock[CLEAR_ALARM] = 1;
        late = time_now() >= at;
    }
    wait_for(400000);
    expect(PENDING == 0);
    set_alarm(-1000000ul); /* it is over already */
    expect(PENDING == 1);
    clock[CLEAR_INTERRUPT] = 1;
    clock[TIME_HIGH] = 0; /* the day of 1970 on which nothing had happened yet */
    clock[TIME_LOW] = 0;
    expect(time_now() < 1000000000000);
    return 0;
}
