/*
 * HSM and SUSP as a guest sees them (SBI 2.0, chapters 9 and 13): HARTS harts start, stop, suspend
 * with and without retention, hear each other's interrupts and fences; then the whole system
 * suspends until its timer.
 */
#include "tests/hypervisor/guests/lib/guest.h"

enum { STARTED, STOPPED, START_PENDING, STOP_PENDING, SUSPENDED };
enum { RETENTIVE = 0 };
#define NON_RETENTIVE 0x80000000ul

static uint32_t alive, interrupted, resumed;

static int64_t status(uint64_t hart)
{
    struct sbi s = guest_sbi(HSM, 2, hart, 0, 0, 0);

    return s.error == SUCCESS ? (int64_t)s.value : s.error;
}

static void count(uint32_t *what)
{
    __atomic_fetch_add(what, 1, __ATOMIC_SEQ_CST);
}

static uint32_t counted(const uint32_t *what)
{
    return __atomic_load_n(what, __ATOMIC_SEQ_CST);
}

static void on_ipi(uint64_t number)
{
    expect(number == SOFTWARE || number == TIMER);
    if (number == TIMER)
        guest_sbi(TIME, 0, ~0ul, 0, 0, 0);
    csr_clear(sip, 1 << SOFTWARE);
    count(&interrupted);
}

/* SBI 9.1: how a started or resumed hart begins. */
static void check_start(uint64_t sstatus, uint64_t satp)
{
    expect((sstatus & SSTATUS_SIE) == 0);
    expect(satp == 0);
}

static void stay(uint64_t hartid, uint64_t sstatus, uint64_t stvec, uint64_t satp)
{
    (void)hartid;
    (void)stvec;
    check_start(sstatus, satp);
    csr_set(sie, 1 << SOFTWARE);
    count(&alive);
    while ((csr_read(sip) & 1 << SOFTWARE) == 0) /* wfi ends for a pending interrupt, also while */
        __asm__ volatile("wfi");                 /* SIE is clear: none comes between the two */
    csr_set(sstatus, SSTATUS_SIE);
    count(&resumed);
    guest_sbi(HSM, 1, 0, 0, 0, 0);
    expect(false);
}

static void check_arguments(void)
{
    expect(status(0) == STARTED);
    expect(status(1) == STOPPED);
    expect(status(HARTS) == INVALID_PARAM && status(~0ul) == INVALID_PARAM);
    expect(guest_hart_start(0, stay).error == ALREADY_AVAILABLE);
    expect(guest_sbi(HSM, 0, HARTS, (uintptr_t)hart_boot, 0, 0).error == INVALID_PARAM);
    expect(guest_sbi(HSM, 0, 1, 0x40000000, 0, 0).error == INVALID_ADDRESS);
    expect(guest_sbi(HSM, 0, 1, ~0ul, 0, 0).error == INVALID_ADDRESS);
    expect(guest_sbi(HSM, 3, NON_RETENTIVE, 0x40000000, 0, 0).error == INVALID_ADDRESS);
    expect(guest_sbi(HSM, 3, 0x10000000, 0, 0, 0).error != SUCCESS);
    expect(guest_sbi(HSM, 9, 0, 0, 0, 0).error == NOT_SUPPORTED);
}

/* Everyone starts, hears an interrupt that all are sent, bears fences, and stops again. */
static void everyone(void)
{
    for (uint64_t hart = 1; hart < HARTS; hart++)
        expect(guest_hart_start(hart, stay).error == SUCCESS);
    wait_until(counted(&alive) == HARTS - 1);
    expect(status(HARTS - 1) == STARTED);
    expect(guest_hart_start(1, stay).error == ALREADY_AVAILABLE);
    expect(guest_sbi(SUSP, 0, 0, (uintptr_t)hart_boot, 0, 0).error == DENIED);
    expect(guest_sbi(RFNC, 0, 0, ~0ul, 0, 0).error == SUCCESS);
    expect(guest_sbi(RFNC, 1, 2, 0, 0x80200000, 4096).error == SUCCESS);
    expect(guest_sbi(RFNC, 2, 0, ~0ul, 0, ~0ul).error == SUCCESS);
    expect(guest_sbi(RFNC, 1, 1, HARTS, 0, 0).error == INVALID_PARAM);
    expect(guest_sbi(IPI, 0, 1, HARTS, 0, 0).error == INVALID_PARAM);
    expect(guest_sbi(IPI, 0, 0, ~0ul, 0, 0).error == SUCCESS);
    wait_until(counted(&resumed) == HARTS - 1);
    for (uint64_t hart = 1; hart < HARTS; hart++)
        wait_until(status(hart) == STOPPED);
    wait_until(counted(&interrupted) == HARTS); /* the sender was one of them */
    guest_say("%u harts started, were interrupted, stopped", HARTS);
}

static void retentive(uint64_t hartid, uint64_t sstatus, uint64_t stvec, uint64_t satp)
{
    (void)hartid;
    (void)stvec;
    check_start(sstatus, satp);
    csr_set(sie, 1 << SOFTWARE);
    csr_write(sscratch, 0x1234);
    count(&alive);
    expect(suspend_marked(RETENTIVE, 0, 0, 0, 0, 0, 3, HSM) == SUCCESS);
    expect(csr_read(sscratch) == 0x1234);
    expect((csr_read(sip) & 1 << SOFTWARE) != 0);
    count(&resumed);
    guest_sbi(HSM, 1, 0, 0, 0, 0);
}

static void after_suspend(uint64_t hartid, uint64_t sstatus, uint64_t stvec, uint64_t satp)
{
    (void)stvec;
    check_start(sstatus, satp);
    expect(hartid == 1);
    count(&resumed);
    guest_sbi(HSM, 1, 0, 0, 0, 0);
}

static void non_retentive(uint64_t hartid, uint64_t sstatus, uint64_t stvec, uint64_t satp)
{
    (void)stvec;
    check_start(sstatus, satp);
    csr_set(sie, 1 << SOFTWARE);
    count(&alive);
    guest_sbi(HSM, 3, NON_RETENTIVE, (uintptr_t)hart_boot, guest_hart_entry(hartid, after_suspend),
              0);
    expect(false); /* it never returns */
}

/* Hart 1 suspends itself; it is seen suspended until it is interrupted, and then seen to go on. */
static void suspend_one(hart_main *how, const char *what)
{
    alive = resumed = 0;
    expect(guest_hart_start(1, how).error == SUCCESS);
    wait_until(counted(&alive) == 1);
    wait_until(status(1) == SUSPENDED);
    expect(guest_hart_start(1, how).error == ALREADY_AVAILABLE);
    expect(counted(&resumed) == 0);
    expect(guest_sbi(IPI, 0, 2, 0, 0, 0).error == SUCCESS);
    wait_until(counted(&resumed) == 1);
    wait_until(status(1) == STOPPED);
    guest_say("hart 1 was suspended, %s", what);
}

static uint64_t suspended_at;

static void after_system_suspend(uint64_t hartid, uint64_t sstatus, uint64_t stvec, uint64_t satp)
{
    (void)stvec;
    check_start(sstatus, satp);
    expect(hartid == 0);
    expect(now() - suspended_at >= 200000);
    guest_say("the system was suspended until its timer");
    guest_finish();
}

int main(void);

int main(void)
{
    guest_on_interrupt = on_ipi;
    check_arguments();
    csr_set(sie, 1 << SOFTWARE);
    csr_set(sstatus, SSTATUS_SIE);
    everyone();
    suspend_one(retentive, "and kept its registers");
    suspend_one(non_retentive, "and started again");
    expect(guest_sbi(SUSP, 0, 0, 0x40000000, 0, 0).error == INVALID_ADDRESS);
    expect(guest_sbi(SUSP, 0, 1, (uintptr_t)hart_boot, 0, 0).error == INVALID_PARAM);
    csr_clear(sstatus, SSTATUS_SIE);
    csr_set(sie, 1 << TIMER);
    suspended_at = now();
    expect(guest_sbi(TIME, 0, suspended_at + 200000, 0, 0, 0).error == SUCCESS);
    guest_sbi(SUSP, 0, 0, (uintptr_t)hart_boot, guest_hart_entry(0, after_system_suspend), 0);
    expect(false);
    return 0;
}
