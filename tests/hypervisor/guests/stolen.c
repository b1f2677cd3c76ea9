/* What SBI STA shows of the time that a neighbour took (SBI 2.0, chapter 16), and what it refuses.
 */
#include "tests/hypervisor/guests/lib/guest.h"

static volatile struct {
    uint32_t sequence, flags;
    uint64_t time;
    uint8_t rest[48];
} stolen __attribute__((aligned(64)));

#ifndef WINDOWS
#define WINDOWS 1
#define WINDOW  20000000
#endif

int main(void);

int main(void)
{
    uint64_t start = now(), before = 0, time, ticks;

    expect(guest_sbi(BASE, 3, STA, 0, 0, 0).value != 0);
    expect(guest_sbi(STA, 1, (uintptr_t)&stolen, 0, 0, 0).error == NOT_SUPPORTED);
    expect(guest_sbi(STA, 0, (uintptr_t)&stolen + 8, 0, 0, 0).error == INVALID_PARAM);
    expect(guest_sbi(STA, 0, (uintptr_t)&stolen, 0, 1, 0).error == INVALID_PARAM);
    expect(guest_sbi(STA, 0, 0x40000000, 0, 0, 0).error == INVALID_ADDRESS);
    expect(guest_sbi(STA, 0, (uintptr_t)&stolen, 1, 0, 0).error == INVALID_ADDRESS);
    stolen.rest[0] = 1;
    expect(guest_sbi(STA, 0, (uintptr_t)&stolen, 0, 0, 0).error == SUCCESS);
    expect(stolen.rest[0] == 0);
    for (uint64_t i = 0; i < WINDOWS; i++) {
        wait_for(WINDOW);
        ticks = now() - start;
        expect((stolen.sequence & 1) == 0);
        time = stolen.time;
        /* nanoseconds by 100 ns, as per cent */
        guest_say("%lu %% were stolen", (time - before) / ticks);
        start += ticks;
        before = time;
    }
    ticks = stolen.time;
    expect(guest_sbi(STA, 0, ~0ul, ~0ul, 0, 0).error == SUCCESS);
    wait_for(1000000);
    expect(stolen.time == ticks);
    return 0;
}
