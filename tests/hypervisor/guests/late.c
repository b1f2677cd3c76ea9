/* How late a timer is that wakes this guest, a hundred times, beside neighbours that only compute.
 * The first ones count too: its neighbours are still loaded and started then. */
#include "tests/hypervisor/guests/lib/guest.h"

int main(void);

int main(void)
{
    uint64_t worst = 0, sum = 0;

    csr_set(sie, 1 << TIMER);
    for (int i = 0; i < 100; i++) {
        uint64_t due = now() + 200000, late;

        guest_sbi(TIME, 0, due, 0, 0, 0);
        while (now() < due)
            __asm__ volatile("wfi");
        late = now() - due;
        sum += late;
        if (late > worst)
            worst = late;
    }
    guest_say("late by %lu us on average, %lu us at worst", sum / 1000, worst / 10);
    return 0;
}
