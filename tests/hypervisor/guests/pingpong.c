/*
 * Two harts that interrupt each other in turn: each waits for the other's interrupt before it sends
 * the next, so that one which is lost stops both. They wait by wfi, by a retentive suspend, and
 * by a loop, which on one hart takes a slice each time. TIMES and LOOPS: how often.
 */
#include "tests/hypervisor/guests/lib/guest.h"

#ifndef TIMES
#define TIMES 200
#endif
#ifndef LOOPS
#define LOOPS 10
#endif

enum { BY_WFI, BY_SUSPEND, BY_LOOP, WAYS };

/* On one hart each looks in vain for a whole slice. */
static const unsigned times[WAYS] = {TIMES, TIMES, LOOPS};

static volatile int way;
static uint32_t heard[2];

static void on_ipi(uint64_t number)
{
    expect(number == SOFTWARE);
    csr_clear(sip, 1 << SOFTWARE);
}

/* Until an interrupt is pending; it is not taken, as sstatus.SIE is clear. */
static void await_interrupt(uint64_t hart)
{
    while ((csr_read(sip) & 1 << SOFTWARE) == 0) {
        if (way == BY_WFI)
            __asm__ volatile("wfi");
        else if (way == BY_SUSPEND)
            guest_sbi(HSM, 3, 0, 0, 0, 0);
    }
    csr_clear(sip, 1 << SOFTWARE);
    __atomic_fetch_add(&heard[hart], 1, __ATOMIC_SEQ_CST);
}

static void answer(uint64_t hartid, uint64_t sstatus, uint64_t stvec, uint64_t satp)
{
    (void)sstatus;
    (void)stvec;
    (void)satp;
    csr_set(sie, 1 << SOFTWARE);
    for (;;) {
        await_interrupt(hartid);
        guest_sbi(IPI, 0, 1, 0, 0, 0);
    }
}

int main(void);

int main(void)
{
    guest_on_interrupt = on_ipi;
    csr_set(sie, 1 << SOFTWARE);
    expect(guest_hart_start(1, answer).error == SUCCESS);
    for (way = 0; way < WAYS; way++) {
        uint64_t begun = now();

        heard[0] = heard[1] = 0;
        for (unsigned i = 0; i < times[way]; i++) {
            guest_sbi(IPI, 0, 2, 0, 0, 0);
            await_interrupt(0);
        }
        expect(heard[0] == times[way] && heard[1] == times[way]);
        guest_say("%u interrupts answered in %lu us", times[way], (now() - begun) / 10);
    }
    guest_finish();
}
