/*
 * Suspends the system (SBI 13) until a timer in twenty seconds, and says whether it slept so long
 * by its own clock: what pauses and resumes it meanwhile must not wake it.
 */
#include "tests/hypervisor/guests/lib/guest.h"

enum { TICKS = 200000000 };

static uint64_t suspended_at;

static _Noreturn void after(uint64_t hartid, uint64_t sstatus, uint64_t stvec, uint64_t satp)
{
    (void)hartid;
    (void)sstatus;
    (void)stvec;
    (void)satp;
    expect(now() - suspended_at >= TICKS);
    guest_say("woke up in time");
    guest_finish();
}

int main(void);

int main(void)
{
    csr_set(sie, 1 << TIMER);
    suspended_at = now();
    guest_sbi(TIME, 0, suspended_at + TICKS, 0, 0, 0);
    guest_say("suspends");
    guest_sbi(SUSP, 0, 0, (uintptr_t)hart_boot, guest_hart_entry(0, after), 0);
    expect(false);
    guest_finish();
}
