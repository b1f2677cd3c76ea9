/* Computes for SECONDS of the machine's and says how many rounds it made: its share of a hart. */
#include "tests/hypervisor/guests/lib/guest.h"

static uint64_t rounds[HARTS_MAX];
static unsigned done;

static void spin(uint64_t hartid, uint64_t sstatus, uint64_t stvec, uint64_t satp)
{
    uint64_t start = now();

    (void)sstatus;
    (void)stvec;
    (void)satp;
    for (; now() - start < SECONDS * 10000000ul; rounds[hartid]++)
        for (volatile int i = 0; i < 1000; i++)
            ;
    __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
    if (hartid > 0)
        guest_sbi(HSM, 1, 0, 0, 0, 0);
}

int main(void);

int main(void)
{
    uint64_t sum = 0;

    for (uint64_t hart = 1; hart < HARTS; hart++)
        expect(guest_hart_start(hart, spin).error == SUCCESS);
    spin(0, 0, 0, 0);
    wait_until(__atomic_load_n(&done, __ATOMIC_SEQ_CST) == HARTS);
    for (int hart = 0; hart < HARTS; hart++)
        sum += rounds[hart];
    guest_say("%lu rounds", sum);
    return 0;
}
