/*
 * What a guest measures of its machine, with the machine's own clock (`time`), for
 * bench/hypervisor: the same program runs as a guest and on the bare machine. It prints `figure:
 * NAME VALUE`, nanoseconds or ticks of work.
 */
#include "tests/hypervisor/guests/lib/guest.h"

enum { CALLS = 100, SAMPLES = 201, TICK_NS = 100 };
#define PLIC 0x0c000000ul
#define UART 0x10000000ul

static uint64_t samples[SAMPLES];
static volatile uint64_t seen_at;

static volatile uint32_t *plic(uint64_t offset)
{
    return (volatile uint32_t *)(PLIC + offset);
}

static volatile uint8_t *uart(uint64_t offset)
{
    return (volatile uint8_t *)(UART + offset);
}

/* The middle of the samples. */
static uint64_t median(void)
{
    for (unsigned i = 1; i < SAMPLES; i++)
        for (unsigned j = i; j > 0 && samples[j - 1] > samples[j]; j--) {
            uint64_t t = samples[j];

            samples[j] = samples[j - 1];
            samples[j - 1] = t;
        }
    return samples[SAMPLES / 2];
}

static void call_round_trip(void)
{
    for (unsigned i = 0; i < SAMPLES; i++) {
        uint64_t start = now();

        for (unsigned j = 0; j < CALLS; j++)
            guest_sbi(BASE, 0, 0, 0, 0, 0);
        samples[i] = now() - start;
    }
    guest_say("call %lu ns", median() * TICK_NS / CALLS);
}

static void on_timer(uint64_t number)
{
    (void)number;
    seen_at = now();
    guest_sbi(TIME, 0, ~0ul, 0, 0, 0);
}

/* From the moment that was asked for to the handler. */
static void timer_latency(void)
{
    guest_on_interrupt = on_timer;
    csr_set(sie, 1 << TIMER);
    for (unsigned i = 0; i < SAMPLES; i++) {
        uint64_t due = now() + 5000;

        seen_at = 0;
        guest_sbi(TIME, 0, due, 0, 0, 0);
        wait_until(seen_at != 0);
        samples[i] = seen_at - due;
    }
    csr_clear(sie, 1 << TIMER);
    guest_say("timer %lu ns", median() * TICK_NS);
}

static void on_software(uint64_t number)
{
    (void)number;
    seen_at = now();
    csr_clear(sip, 1 << SOFTWARE);
}

/* From the call to the handler, on the same hart. */
static void ipi_latency(void)
{
    guest_on_interrupt = on_software;
    csr_set(sie, 1 << SOFTWARE);
    for (unsigned i = 0; i < SAMPLES; i++) {
        uint64_t start = now();

        seen_at = 0;
        guest_sbi(IPI, 0, 1, 0, 0, 0);
        wait_until(seen_at != 0);
        samples[i] = seen_at - start;
    }
    csr_clear(sie, 1 << SOFTWARE);
    guest_say("ipi %lu ns", median() * TICK_NS);
}

static uint64_t context;

static void on_external(uint64_t number)
{
    uint32_t source = *plic(0x200004 + 0x1000 * context);

    (void)number;
    seen_at = now();
    *uart(1) = 0;
    *plic(0x200004 + 0x1000 * context) = source;
}

/* From the serial port's line going up, its transmitter being empty, to the handler with the source
 * claimed. */
static void device_latency(void)
{
    /* The hypervisor's guests have one context a hart; a real hart 0 has one for M-mode before it.
     */
    context = guest_sbi(BASE, 1, 0, 0, 0, 0).value == 0x6d6b766d ? 0 : 1;
    guest_on_interrupt = on_external;
    *plic(4 * 10) = 1;
    *plic(0x2000 + 0x80 * context) = 1 << 10;
    *plic(0x200000 + 0x1000 * context) = 0;
    csr_set(sie, 1 << EXTERNAL);
    for (unsigned i = 0; i < SAMPLES; i++) {
        uint64_t start = now();

        seen_at = 0;
        *uart(1) = 2;
        wait_until(seen_at != 0);
        samples[i] = seen_at - start;
    }
    csr_clear(sie, 1 << EXTERNAL);
    guest_say("device %lu ns", median() * TICK_NS);
}

/* Arithmetic and memory, WORK million steps of it. */
static void work(void)
{
    static uint64_t table[32768];
    uint64_t x = 88172645463325252ul;

    guest_say("begun");
    for (uint64_t i = 0; i < WORK * 1000000ul; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        table[x % 32768] += i;
    }
    guest_say("worked %lx", x);
}

int main(void);

int main(void)
{
    if (WORK > 0) {
        work();
        for (;;) /* who measures it ends it */
            __asm__ volatile("wfi");
    }
    csr_set(sstatus, SSTATUS_SIE);
    call_round_trip();
    timer_latency();
    ipi_latency();
    device_latency();
    return 0;
}
