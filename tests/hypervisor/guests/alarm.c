/*
 * Sleeps until its timer's interrupt, ROUNDS times. Before each it calls the hypervisor again and
 * again until the timer is due, so that many come while the guest is entered; after that it leaves
 * no more by itself.
 */
#include "tests/hypervisor/guests/lib/guest.h"

#ifndef ROUNDS
#define ROUNDS 6000
#endif

static volatile unsigned rung;

static void ring(uint64_t number)
{
    expect(number == TIMER);
    csr_write(0x14d, ~0ul); /* stimecmp */
    rung++;
}

int main(void);

int main(void)
{
    uint64_t seed = now();

    guest_on_interrupt = ring;
    csr_set(sie, 1 << TIMER);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t due;

        seed = seed * 6364136223846793005ul + 1442695040888963407ul;
        due = now() + 300 + (seed >> 40) % 700; /* 30 to 100 us */
        csr_write(0x14d, due);
        csr_set(sstatus, SSTATUS_SIE);
        while (now() < due && rung == i)
            guest_sbi(BASE, 0, 0, 0, 0, 0);
        for (;;) { /* an interrupt between the look and the sleep would be slept through */
            csr_clear(sstatus, SSTATUS_SIE);
            if (rung != i)
                break;
            __asm__ volatile("wfi");
            csr_set(sstatus, SSTATUS_SIE);
        }
    }
    guest_say("it rang %u times", rung);
    return 0;
}
