/* A neighbour that computes: it says so ten times a second of the machine's, TICKS times. */
#include "tests/hypervisor/guests/lib/guest.h"

int main(void);

int main(void)
{
    for (int i = 1; i <= TICKS; i++) {
        wait_for(1000000);
        guest_say("tick %d at %lu ms", i, now() / 10000);
    }
    return 0;
}
