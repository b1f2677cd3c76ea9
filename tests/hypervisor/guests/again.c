/* Reboots as soon as it runs, for ever: a neighbour sees how much of a hart loading takes. */
#include "tests/hypervisor/guests/lib/guest.h"

int main(void);

int main(void)
{
    guest_sbi(SRST, 0, 1, 0, 0, 0);
    return 0;
}
