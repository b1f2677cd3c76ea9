/*
 * What vCPUs that share harts cost, for bench/hypervisor. With two: a switch between them, each
 * giving its hart away by a wfi that may go on at once. With more: pairs of them pass messages of
 * 100 bytes through a box of 16, as hackbench's tasks do, and sleep where it is empty or full.
 */
#include "common/string.h"
#include "tests/hypervisor/guests/lib/guest.h"

enum { SWITCHES = 2000, SLOTS = 16, BYTES = 100 };

static unsigned done; /* vCPUs that are; atomic */

static void switches(void)
{
    guest_sbi(IPI, 0, 1, csr_read(sscratch), 0, 0);
    for (int i = 0; i < SWITCHES; i++)
        __asm__ volatile("wfi");
}

struct box {
    uint64_t sent, taken; /* atomics */
    uint32_t sleeps[2];   /* the sender does, or the receiver; atomics */
    uint8_t bytes[SLOTS][BYTES];
};
static struct box boxes[HARTS_MAX / 2];

/* Sleeps until `left` is not what it was; the other side sees `sleeps`, or this one sees `left`. */
static void sleep_while(uint32_t *sleeps, const uint64_t *counter, uint64_t seen)
{
    __atomic_store_n(sleeps, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(counter, __ATOMIC_SEQ_CST) == seen) {
        __asm__ volatile("wfi");
        csr_clear(sip, 1 << SOFTWARE);
    }
    __atomic_store_n(sleeps, 0, __ATOMIC_SEQ_CST);
}

static void advance(uint64_t *counter, const uint32_t *sleeps, uint64_t hart)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(sleeps, __ATOMIC_SEQ_CST))
        guest_sbi(IPI, 0, 1, hart, 0, 0);
}

static void messages(uint64_t hart)
{
    struct box *b = &boxes[hart / 2];
    uint8_t message[BYTES] = {0};
    const unsigned receives = hart % 2;

    for (uint64_t i = 0; i < MESSAGES; i++) {
        uint8_t *slot = b->bytes[i % SLOTS];

        if (receives) {
            if (__atomic_load_n(&b->sent, __ATOMIC_SEQ_CST) == i)
                sleep_while(&b->sleeps[1], &b->sent, i);
            memcpy(message, slot, BYTES);
            expect(message[0] == (uint8_t)i && message[BYTES - 1] == (uint8_t)i);
            advance(&b->taken, &b->sleeps[0], hart - 1);
        } else {
            if (i - __atomic_load_n(&b->taken, __ATOMIC_SEQ_CST) == SLOTS)
                sleep_while(&b->sleeps[0], &b->taken, i - SLOTS);
            memset(message, (int)i, BYTES);
            memcpy(slot, message, BYTES);
            advance(&b->sent, &b->sleeps[1], hart + 1);
        }
    }
}

static void work(uint64_t hart)
{
    csr_set(sie, 1 << SOFTWARE);
    if (HARTS == 2)
        switches();
    else
        messages(hart);
    __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
}

static void other(uint64_t hart, uint64_t sstatus, uint64_t stvec, uint64_t satp)
{
    (void)sstatus;
    (void)stvec;
    (void)satp;
    csr_write(sscratch, hart);
    work(hart);
    guest_sbi(HSM, 1, 0, 0, 0, 0);
}

int main(void);

int main(void)
{
    uint64_t start, took;

    csr_write(sscratch, 0);
    for (uint64_t hart = 1; hart < HARTS; hart++)
        expect(guest_hart_start(hart, other).error == SUCCESS);
    start = now();
    work(0);
    csr_set(sie, 1 << TIMER);
    while (__atomic_load_n(&done, __ATOMIC_SEQ_CST) < HARTS) {
        csr_clear(sip, 1 << SOFTWARE);
        guest_sbi(TIME, 0, now() + 1000, 0, 0, 0);
        __asm__ volatile("wfi");
    }
    took = (now() - start) * 100;
    if (HARTS == 2)
        guest_say("%lu ns a switch", took / (2 * SWITCHES));
    else
        guest_say("%lu ns a message", took / (MESSAGES * HARTS / 2));
    return 0;
}
