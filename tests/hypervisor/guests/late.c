/* How late a timer is that wakes this guest, a hundred times, beside neighbours that only compute.
 * The times before that do not count: its neighbours are still loaded and started, each charged
 * less than this guest by then, so that they run first. */
#include "tests/hypervisor/guests/lib/guest.h"

enum { SETTLE = 30 }; /* of 20 ms */

int main(void);

int main(void)
{
    uint64_t worst = 0, sum = 0;

    csr_set(sie, 1 << TIMER);
    for (int i = -SETTLE; i < 100; i++) {
        uint64_t due = now() + 200000, late;

        guest_sbi(TIME, 0, due, 0, 0, 0);
        while (now() < due)
            __asm__ volatile("wfi");
        late = i < 0 ? 0 : now() - due;
        sum += late;
        if (late > worst)
            worst = late;
    }
    guest_say("late by %lu us on average, %lu us at worst", sum / 1000, worst / 10);
    return 0;
}
