/* Hart 1 arms its timer, enables it and stops; hart 0 sleeps, and says so each five seconds: the
 * machine has nothing to do. */
#include "tests/hypervisor/guests/lib/guest.h"

static void other(uint64_t hartid, uint64_t sstatus, uint64_t stvec, uint64_t satp)
{
    (void)hartid;
    (void)sstatus;
    (void)stvec;
    (void)satp;
    csr_set(sie, 1 << TIMER);
    guest_sbi(TIME, 0, now() + 1000000, 0, 0, 0);
    guest_sbi(HSM, 1, 0, 0, 0, 0);
}

int main(void);

int main(void)
{
    expect(guest_hart_start(1, other).error == SUCCESS);
    csr_set(sie, 1 << TIMER);
    guest_say("sleeps");
    for (;;) {
        for (int i = 0; i < 10; i++) {
            guest_sbi(TIME, 0, now() + 5000000, 0, 0, 0);
            __asm__ volatile("wfi");
        }
        guest_say("slept");
    }
}
