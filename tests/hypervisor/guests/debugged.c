/* Two harts that count: each calls debugged_count() for ever, hart 0 says how far it is. */
#include "tests/hypervisor/guests/lib/guest.h"

extern volatile uint64_t debugged_counts[2];
volatile uint64_t debugged_counts[2];
void debugged_count(uint64_t hartid);
int main(void);

__attribute__((noinline)) void debugged_count(uint64_t hartid)
{
    __atomic_fetch_add(&debugged_counts[hartid], 1, __ATOMIC_RELAXED);
}

static void run(uint64_t hartid, uint64_t sstatus, uint64_t stvec, uint64_t satp)
{
    (void)sstatus;
    (void)stvec;
    (void)satp;
    for (;;)
        debugged_count(hartid);
}

int main(void)
{
    expect(guest_hart_start(1, run).error == SUCCESS);
    for (uint64_t round = 1;; round++) {
        debugged_count(0);
        if (round % 1000000 == 0)
            guest_say("counted %lu and %lu", debugged_counts[0], debugged_counts[1]);
    }
}
