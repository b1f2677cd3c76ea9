/*
 * Memory where the manifest put it, in blocks as large as they come: every STEP bytes of it gets a
 * mark and keeps it, and what is behind its end is not there.
 */
#include "tests/hypervisor/guests/lib/guest.h"

int main(void);

int main(void)
{
    volatile uint64_t *at;
    uint64_t marks = 0;

    for (uint64_t gpa = START; gpa < END - TREE; gpa += STEP, marks++) {
        at = (volatile uint64_t *)gpa;
        expect(*at == 0);
        *at = ~gpa;
    }
    for (uint64_t gpa = START; gpa < END - TREE; gpa += STEP)
        expect(*(volatile uint64_t *)gpa == ~gpa);
    guest_expect_trap();
    (void)*(volatile uint64_t *)END;
    expect(guest_trap_seen == 5);
    guest_say("%lu marks from %#lx to %#lx", marks, START, END);
    for (;;)
        if (guest_sbi(DBCN, 1, 1, (uintptr_t)&marks, 0, 0).value == 1)
            return 0;
}
