/*
 * Two harts hand a flag to and fro, each waiting for it by wrs.nto (Zawrs): where there is one hart
 * for both, what waits must give it away. Says how long ROUNDS hand-overs took.
 */
#include "tests/hypervisor/guests/lib/guest.h"

static volatile uint32_t turn;

static void take_turns(uint32_t own)
{
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t seen;

        for (;;) {
            __asm__ volatile("lr.w %0, (%1)" : "=r"(seen) : "r"(&turn) : "memory");
            if (seen == own)
                break;
            __asm__ volatile(".word 0x00d00073" : : : "memory"); /* wrs.nto */
        }
        __atomic_store_n(&turn, 1 - own, __ATOMIC_SEQ_CST);
    }
}

static void other(uint64_t hartid, uint64_t sstatus, uint64_t stvec, uint64_t satp)
{
    (void)hartid;
    (void)sstatus;
    (void)stvec;
    (void)satp;
    take_turns(1);
    guest_sbi(HSM, 1, 0, 0, 0, 0);
}

int main(void);

int main(void)
{
    uint64_t start;

    expect(guest_hart_start(1, other).error == SUCCESS);
    start = now();
    take_turns(0);
    guest_say("%d hand-overs took %lu us", 2 * ROUNDS, (now() - start) / 10);
    return 0;
}
