/*
 * Details of SBI 2.0 that guests run into: timers near the end of time, arguments of 32 bits with
 * anything above them, reserved types of suspend, and a timer that outlives the suspend it ends.
 */
#include "tests/hypervisor/guests/lib/guest.h"

#define UPPER (0xabcdul << 32)

static void timers_far_away(void)
{
    static const uint64_t when[] = {~0ul, 1ul << 63, ~0ul - 1, ~0ul >> 1};

    for (int i = 0; i < 4; i++) {
        guest_sbi(TIME, 0, when[i], 0, 0, 0);
        wait_for(100000);
        expect((csr_read(sip) >> TIMER & 1) == 0);
    }
    guest_sbi(TIME, 0, 0, 0, 0, 0);
    wait_for(1000);
    guest_sbi(TIME, 0, ~0ul, 0, 0, 0);
}

static void suspend_types(void)
{
    static const struct {
        uint64_t type;
        int64_t error;
    } cases[] = {{1, INVALID_PARAM},          {0x0fffffff, INVALID_PARAM},
                 {0x10000000, NOT_SUPPORTED}, {0x7fffffff, NOT_SUPPORTED},
                 {0x80000001, INVALID_PARAM}, {0x8fffffff, INVALID_PARAM},
                 {0x90000000, NOT_SUPPORTED}, {0xffffffff, NOT_SUPPORTED}};

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect(guest_sbi(HSM, 3, cases[i].type, 0x80200000, 0, 0).error == cases[i].error);
        expect(guest_sbi(HSM, 3, cases[i].type | UPPER, 0x80200000, 0, 0).error == cases[i].error);
    }
    expect(guest_sbi(SUSP, 0, 1, 0x80200000, 0, 0).error == INVALID_PARAM);
    expect(guest_sbi(SUSP, 0, UPPER | 0x7fffffff, 0x80200000, 0, 0).error == INVALID_PARAM);
    expect(guest_sbi(SUSP, 0, 0x80000000, 0x80200000, 0, 0).error == NOT_SUPPORTED);
}

static _Noreturn void after_suspend(uint64_t hartid, uint64_t sstatus, uint64_t stvec,
                                    uint64_t satp)
{
    (void)hartid;
    (void)sstatus;
    (void)stvec;
    (void)satp;
    /* Without anything having set it once more, the timer that ended the suspend is pending. */
    csr_set(sie, 1 << TIMER);
    guest_on_interrupt = NULL;
    wait_for(1000);
    __asm__ volatile("wfi");
    guest_say("a suspend ended by its timer, which was delivered");
    expect(guest_sbi(SRST, 0, UPPER | 7, 0, 0, 0).error == INVALID_PARAM);
    expect(guest_sbi(SRST, 0, UPPER, UPPER | 2, 0, 0).error == INVALID_PARAM);
    guest_say("done");
    guest_sbi(SRST, 0, UPPER, UPPER, 0, 0);
    for (;;)
        __asm__ volatile("wfi");
}

int main(void);

int main(void)
{
    struct sbi s;

    timers_far_away();
    suspend_types();
    expect(guest_sbi(BASE, 3, PMU, 0, 0, 0).value != 0);
    csr_set(sie, 1 << TIMER);
    guest_sbi(TIME, 0, now() + 500000, 0, 0, 0);
    s = guest_sbi(HSM, 3, UPPER | 0x80000000, (uintptr_t)hart_boot,
                  guest_hart_entry(0, after_suspend), 0);
    guest_say("defect: the suspend returned %ld", s.error);
    return 1;
}
