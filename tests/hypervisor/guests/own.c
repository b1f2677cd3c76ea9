/*
 * Writes over its memory up to END again and again, with words that depend on the round, on the
 * place and on the clock at the round's beginning, and checks each in the next round. Clones of it
 * have another clock then: what one writes must not be seen by another.
 */
#include "tests/hypervisor/guests/lib/guest.h"

#define FROM ((uint64_t *)0x80400000)
#define TO   ((uint64_t *)END)

int main(void);

int main(void)
{
    uint64_t seed = 0;

    for (unsigned round = 1;; round++) {
        uint64_t next = now() << 8 | round, wrong = 0;

        for (uint64_t *at = FROM; at < TO; at += 64) {
            wrong += round > 1 && *at != (seed ^ (uintptr_t)at);
            *at = next ^ (uintptr_t)at;
        }
        if (wrong > 0)
            guest_say("defect: %lu words are not what was written", wrong);
        seed = next;
        guest_say("round %u", round);
        wait_for(500000);
    }
}
