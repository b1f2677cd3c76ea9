/* Firmware counters (SBI 2.0, chapter 11): what the hypervisor counts is what this guest did. */
#include "tests/hypervisor/guests/lib/guest.h"

enum { COUNTERS, INFO, MATCH, START, STOP, READ, READ_HI };
enum { SKIP = 1, CLEAR = 2, AUTO_START = 4 };
enum {
    EVENT_SET_TIMER = 5,
    EVENT_IPI_SENT = 6,
    EVENT_IPI_RECEIVED = 7,
    EVENT_FENCE_I_SENT = 8,
    EVENT_HFENCE = 15
};
#define FIRMWARE(event) (15ul << 16 | (event))

static uint64_t all;

static uint64_t take(uint64_t event, uint64_t flags)
{
    struct sbi s = guest_sbi(PMU, MATCH, 0, all, flags, FIRMWARE(event));

    expect(s.error == SUCCESS);
    return s.value;
}

static uint64_t value(uint64_t counter)
{
    struct sbi s = guest_sbi(PMU, READ, counter, 0, 0, 0);

    expect(s.error == SUCCESS);
    return s.value;
}

static void no_interrupt(uint64_t number)
{
    (void)number;
    expect(false);
}

static void set_timers(unsigned times)
{
    while (times-- > 0)
        expect(guest_sbi(TIME, 0, ~0ul, 0, 0, 0).error == SUCCESS);
}

static void check_arguments(uint64_t count)
{
    expect(guest_sbi(PMU, INFO, count, 0, 0, 0).error == INVALID_PARAM);
    expect(guest_sbi(PMU, READ, 0, 0, 0, 0).error == INVALID_PARAM); /* not matched yet */
    expect(guest_sbi(PMU, START, 0, 1, 0, 0).error == INVALID_PARAM);
    expect(guest_sbi(PMU, START, count, 1, 0, 0).error == INVALID_PARAM);
    expect(guest_sbi(PMU, MATCH, 0, all << 1, CLEAR, FIRMWARE(EVENT_SET_TIMER)).error ==
           INVALID_PARAM);
    expect(guest_sbi(PMU, MATCH, 0, all, CLEAR, FIRMWARE(EVENT_HFENCE)).error ==
           NOT_SUPPORTED); /* never counted here */
    expect(guest_sbi(PMU, MATCH, 0, all, CLEAR, FIRMWARE(65535)).error == NOT_SUPPORTED);
    expect(guest_sbi(PMU, MATCH, 0, all, CLEAR, 1).error == NOT_SUPPORTED); /* hardware: cycles */
    expect(guest_sbi(PMU, 99, 0, 0, 0, 0).error == NOT_SUPPORTED);
}

static void count_timers(void)
{
    uint64_t timers = take(EVENT_SET_TIMER, CLEAR | AUTO_START);

    set_timers(3);
    expect(value(timers) == 3);
    expect(guest_sbi(PMU, START, timers, 1, 0, 0).error == ALREADY_STARTED);
    expect(guest_sbi(PMU, STOP, timers, 1, 0, 0).error == SUCCESS);
    set_timers(2);
    expect(value(timers) == 3);
    expect(guest_sbi(PMU, STOP, timers, 1, 0, 0).error == ALREADY_STOPPED);
    expect(guest_sbi(PMU, START, timers, 1, 1, 1000).error == SUCCESS); /* from a value of ours */
    set_timers(4);
    expect(value(timers) == 1004);
    expect(guest_sbi(PMU, READ_HI, timers, 0, 0, 0).value == 0);
    expect(guest_sbi(PMU, STOP, timers, 1, 1, 0).error == SUCCESS); /* and give it back */
    expect(guest_sbi(PMU, READ, timers, 0, 0, 0).error == INVALID_PARAM);
}

static void count_others(void)
{
    uint64_t sent = take(EVENT_IPI_SENT, CLEAR | AUTO_START);
    uint64_t received = take(EVENT_IPI_RECEIVED, CLEAR | AUTO_START);
    uint64_t fences = take(EVENT_FENCE_I_SENT, CLEAR);

    expect(sent != received && received != fences && sent != fences);
    for (int i = 0; i < 5; i++)
        expect(guest_sbi(IPI, 0, 1, 0, 0, 0).error == SUCCESS);
    csr_clear(sip, 1 << SOFTWARE);
    expect(value(sent) == 5 && value(received) == 5);
    expect(guest_sbi(RFNC, 0, 1, 0, 0, 0).error == SUCCESS);
    expect(value(fences) == 0); /* it was not started */
    expect(guest_sbi(PMU, START, fences, 1, 0, 0).error == SUCCESS);
    expect(guest_sbi(RFNC, 0, 1, 0, 0, 0).error == SUCCESS);
    expect(value(fences) == 1);
}

int main(void);

int main(void)
{
#ifdef REBOOTS /* takes one and begins again: a boot's counters end with it */
    all = 0xffff;
    take(EVENT_SET_TIMER, CLEAR | AUTO_START);
    guest_say("took one");
    guest_sbi(SRST, 0, 1, 0, 0, 0);
#endif
    struct sbi counters = guest_sbi(PMU, COUNTERS, 0, 0, 0, 0);

    guest_on_interrupt = no_interrupt;
    expect(counters.error == SUCCESS && counters.value > 0 && counters.value < 64);
    all = (1ul << counters.value) - 1;
    for (uint64_t i = 0; i < counters.value; i++)
        expect(guest_sbi(PMU, INFO, i, 0, 0, 0).value >> 63 == 1);
    check_arguments(counters.value);
    count_timers();
    count_others();
    return 0;
}
