/*
 * SSE and FWFT as a guest sees them (SBI 3.0, chapters 17 and 18): an event reaches a hart that
 * waits with its interrupts off, and the one that injects it; what may not be is refused.
 */
#include "tests/hypervisor/guests/lib/guest.h"

enum { INVALID_STATE = -10, BAD_RANGE = -11, DENIED_LOCKED = -14 };
enum { READ, WRITE, REGISTER, UNREGISTER, ENABLE, DISABLE, COMPLETE, INJECT, UNMASK, MASK };
enum { STATUS, PRIORITY, CONFIG, PREFERRED_HART, ENTRY_PC, ATTRIBUTES = 10 };
#define SSE    0x535345
#define FWFT   0x46574654
#define LOCAL  0xffff0000ul
#define GLOBAL 0xffff8000ul
#define UPPER  (0xabcdul << 32)

/* What a handler is given: room for two registers, how often it ran, and on which hart last. */
struct seen {
    uint64_t saved[2];
    volatile uint64_t count, hart;
};
void event_entry(void);
__asm__(".text\n.balign 4\nevent_entry:\n"
        "sd t0, 0(a7)\n"
        "ld t0, 16(a7)\n"
        "addi t0, t0, 1\n"
        "sd t0, 16(a7)\n"
        "sd a6, 24(a7)\n"
        "ld t0, 0(a7)\n"
        "li a7, 0x535345\n"
        "li a6, 6\n"
        "ecall\n"
        "ebreak\n");

static struct seen seen[2];
static volatile bool ready;
static uint64_t values[ATTRIBUTES];

static int64_t call(uint64_t function, uint64_t event, uint64_t a1, uint64_t a2)
{
    return guest_sbi(SSE, function, event, a1, a2, 0).error;
}

static int64_t write_one(uint64_t event, uint64_t attribute, uint64_t value)
{
    values[0] = value;
    return guest_sbi(SSE, WRITE, event, attribute, 1, (uintptr_t)values).error;
}

static uint64_t read_one(uint64_t event, uint64_t attribute)
{
    expect(guest_sbi(SSE, READ, event, attribute, 1, (uintptr_t)values).error == SUCCESS);
    return values[0];
}

static void waits(uint64_t hartid, uint64_t sstatus, uint64_t stvec, uint64_t satp)
{
    (void)sstatus;
    (void)stvec;
    (void)satp;
    expect((csr_read(sstatus) & SSTATUS_SIE) == 0);
    expect(call(REGISTER, LOCAL, (uintptr_t)event_entry, (uintptr_t)&seen[hartid]) == SUCCESS);
    expect(call(ENABLE, LOCAL, 0, 0) == SUCCESS);
    expect(call(UNMASK, 0, 0, 0) == SUCCESS);
    ready = true;
    while (seen[hartid].count < 100)
        __asm__ volatile("wfi");
    expect(call(DISABLE, LOCAL, 0, 0) == SUCCESS);
    guest_sbi(HSM, 1, 0, 0, 0, 0);
}

static void to_another_hart(void)
{
    expect(call(INJECT, LOCAL, 1, 0) == INVALID_STATE);
    expect(guest_hart_start(1, waits).error == SUCCESS);
    wait_until(ready);
    for (uint64_t i = 0; i < 100; i++) {
        expect(call(INJECT, LOCAL, 1, 0) == SUCCESS);
        wait_until(seen[1].count == i + 1);
    }
    expect(seen[1].hart == 1);
    /* The last may have come between its look and its wfi: another, until it has seen them all. */
    while (guest_sbi(HSM, 2, 1, 0, 0, 0).value != 1) {
        (void)call(INJECT, LOCAL, 1, 0);
        wait_for(100000); /* it executes something in between */
    }
    guest_say("100 events reached a hart that waited");
}

void stop_entry(void);
__asm__(".text\n.balign 4\nstop_entry:\n"
        "li a7, 0x48534d\n"
        "li a6, 1\n"
        "ecall\n"
        "ebreak\n");

static void stops(uint64_t hartid, uint64_t sstatus, uint64_t stvec, uint64_t satp)
{
    (void)sstatus;
    (void)stvec;
    (void)satp;
    expect((read_one(LOCAL, STATUS) & 7) == 0 && read_one(LOCAL, PREFERRED_HART) == hartid);
    expect(call(REGISTER, LOCAL, (uintptr_t)event_entry, (uintptr_t)&seen[hartid]) == SUCCESS);
    expect(call(ENABLE, LOCAL, 0, 0) == SUCCESS && call(UNMASK, 0, 0, 0) == SUCCESS);
    expect(call(INJECT, GLOBAL, 0, 0) == SUCCESS);
    expect(false); /* its handler has stopped the hart */
}

/* Nothing of a hart that stops is left, and the event that it handled may be enabled again. */
static void where_a_hart_stops(void)
{
    expect(write_one(GLOBAL, PREFERRED_HART, 1) == SUCCESS);
    expect(call(REGISTER, GLOBAL, (uintptr_t)stop_entry, 0) == SUCCESS);
    expect(call(ENABLE, GLOBAL, 0, 0) == SUCCESS);
    expect(guest_hart_start(1, stops).error == SUCCESS);
    wait_until(guest_sbi(HSM, 2, 1, 0, 0, 0).value == 1);
    expect((read_one(GLOBAL, STATUS) & 7) == 1);
    expect(call(INJECT, LOCAL, 1, 0) == INVALID_STATE);
    expect(call(ENABLE, GLOBAL, 0, 0) == SUCCESS && call(DISABLE, GLOBAL, 0, 0) == SUCCESS);
    expect(call(UNREGISTER, GLOBAL, 0, 0) == SUCCESS);
}

static void to_itself(void)
{
    uint64_t before = csr_read(sepc);

    expect(call(MASK, 0, 0, 0) == ALREADY_STOPPED);
    expect(write_one(GLOBAL, PREFERRED_HART, 0) == SUCCESS);
    expect(call(REGISTER, GLOBAL, (uintptr_t)event_entry, (uintptr_t)&seen[0]) == SUCCESS);
    expect(call(REGISTER, GLOBAL, (uintptr_t)event_entry, 0) == INVALID_STATE);
    expect(call(ENABLE, GLOBAL | UPPER, 0, 0) == SUCCESS);
    expect(call(INJECT, GLOBAL, 77, 0) == SUCCESS && seen[0].count == 0);
    expect((read_one(GLOBAL, STATUS) & 7) == (2 | 4)); /* enabled, pending */
    expect(call(UNMASK, 0, 0, 0) == SUCCESS && seen[0].count == 1);
    expect(call(INJECT, GLOBAL, 0, 0) == SUCCESS && seen[0].count == 2);
    expect((read_one(GLOBAL, STATUS) & 7) == 2 && csr_read(sepc) == before);
    expect(write_one(GLOBAL, PRIORITY, 1) == INVALID_STATE);
    expect(call(DISABLE, GLOBAL, 0, 0) == SUCCESS);
    expect(write_one(GLOBAL, CONFIG, 1) == SUCCESS && call(ENABLE, GLOBAL, 0, 0) == SUCCESS);
    expect(call(INJECT, GLOBAL, 0, 0) == SUCCESS && seen[0].count == 3);
    expect((read_one(GLOBAL, STATUS) & 7) == 1); /* once */
    expect(call(COMPLETE, 0, 0, 0) == SUCCESS);  /* there is nothing to complete */
    expect(call(UNREGISTER, GLOBAL, 0, 0) == SUCCESS && call(MASK, 0, 0, 0) == SUCCESS);
}

static void what_is_refused(void)
{
    uint64_t there = (uintptr_t)values, chance = 1;

    expect(call(REGISTER, 2, 0, 0) == INVALID_PARAM && call(REGISTER, 0, 0, 0) == NOT_SUPPORTED);
    expect(call(INJECT, LOCAL, 99, 0) == INVALID_PARAM && call(10, LOCAL, 0, 0) == NOT_SUPPORTED);
    expect(guest_sbi(SSE, READ, LOCAL, 0, 0, there).error == INVALID_PARAM);
    expect(guest_sbi(SSE, READ, LOCAL, 10, 1, there).error == BAD_RANGE);
    expect(guest_sbi(SSE, READ, LOCAL, 9, 0xffffffff, there).error == BAD_RANGE);
    expect(guest_sbi(SSE, READ, LOCAL, 0, 10, there + 1).error == INVALID_ADDRESS);
    expect(guest_sbi(SSE, READ, LOCAL, 0, 10, 0x40000000).error == INVALID_ADDRESS);
    expect(guest_sbi(SSE, WRITE, LOCAL, 1, 1, 0x81fffffffffffff8).error == INVALID_ADDRESS);
    expect(write_one(LOCAL, ENTRY_PC, 0) == DENIED &&
           write_one(LOCAL, PREFERRED_HART, 0) == DENIED);
    expect(write_one(GLOBAL, PREFERRED_HART, 2) == INVALID_PARAM);
    /* Anything, with the hart masked: no event is delivered to where nothing is. */
    for (int i = 0; i < 1500; i++) {
        static const uint64_t events[] = {LOCAL, GLOBAL, 0, 0x4000, 0xffff8001, ~0ul};

        chance = chance * 6364136223846793005ul + 1442695040888963407ul;
        if ((chance >> 60) != UNMASK)
            (void)guest_sbi(SSE, chance >> 60, events[(chance >> 40 & 0xff) % 6], chance >> 36 & 15,
                            chance >> 33 & 7, there + (chance >> 30 & 4));
    }
}

static void features(void)
{
    struct sbi got = guest_sbi(FWFT, 1, UPPER | 4, 0, 0, 0);

    expect(guest_sbi(FWFT, 1, 6, 0, 0, 0).error == DENIED);
    expect(guest_sbi(FWFT, 0, 0x80000000, 1, 0, 0).error == DENIED);
    expect(guest_sbi(FWFT, 1, 0x40000000, 0, 0, 0).error == DENIED);
    expect(guest_sbi(FWFT, 1, 0, 0, 0, 0).error == NOT_SUPPORTED);
    expect(guest_sbi(FWFT, 2, 4, 0, 0, 0).error == NOT_SUPPORTED);
    guest_say("A and D bits by hardware: %s", got.error == SUCCESS ? "can be asked for" : "no");
    if (got.error != SUCCESS) {
        expect(got.error == NOT_SUPPORTED);
        return;
    }
    expect(got.value == 0 && guest_sbi(FWFT, 0, 4, 2, 0, 0).error == INVALID_PARAM);
    expect(guest_sbi(FWFT, 0, 4, 1, 2, 0).error == INVALID_PARAM);
    expect(guest_sbi(FWFT, 0, 4, 1, 1, 0).error == SUCCESS);
    expect(guest_sbi(FWFT, 1, 4, 0, 0, 0).value == 1);
    expect(guest_sbi(FWFT, 0, 4, 0, 0, 0).error == DENIED_LOCKED);
}

int main(void);

int main(void)
{
    expect(guest_sbi(BASE, 0, 0, 0, 0, 0).value == 0x3000000);
    expect(guest_sbi(BASE, 3, SSE, 0, 0, 0).value != 0);
    to_itself();
    to_another_hart();
    where_a_hart_stops();
    features();
    what_is_refused();
    return 0;
}
