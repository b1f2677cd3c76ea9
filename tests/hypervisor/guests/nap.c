/* Sleeps for its own timer in a thousand seconds, says so, and computes for ever. */
#include "tests/hypervisor/guests/lib/guest.h"

int main(void);

int main(void)
{
    uint64_t due = now() + 10000000000;

    csr_set(sie, 1 << TIMER);
    csr_write(0x14d, due); /* stimecmp */
    guest_say("sleeps");
    while (now() < due)
        __asm__ volatile("wfi");
    csr_write(0x14d, ~0ul);
    guest_say("slept");
    for (;;)
        ;
}
