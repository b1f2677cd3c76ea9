/*
 * The clock is the processor's time-stamp counter, measured once against a timer of a known rate:
 * the HPET if ACPI lists one, else the PIT. The tick comes from the local APIC's timer, measured at
 * the same time, or from the PIT if the PIC is used.
 */
#include "timer.h"

#include <stdbool.h>
#include <stddef.h>

#include "asm.h"
#include "cpu.h"
#include "interrupt.h"
#include "interrupt/apic.h"
#include "interrupt/pic.h"
#include "timer/reference.h"

#define NS_PER_S UINT64_C(1000000000)

enum { PIT_LINE = 0, SPAN_NS = 4990000 };

static uint64_t tsc_base, tsc_hz, ns_per_tick_32; /* ns per TSC tick, with 32 fraction bits */
static uint64_t ticks, calibration_tsc;
static const char *reference;
static bool apic;
static uint32_t apic_count; /* counts of the local APIC's timer for each tick */
static void (*attached)(uint64_t now);

uint64_t timer_now(void)
{
    uint64_t elapsed = x86_rdtsc() - tsc_base;

    return (uint64_t)((unsigned __int128)elapsed * ns_per_tick_32 >> 32);
}

uint64_t timer_ticks(void)
{
    return __atomic_load_n(&ticks, __ATOMIC_RELAXED);
}

const char *timer_source(void)
{
    return "TSC";
}

const char *timer_reference(void)
{
    return reference;
}

const char *timer_tick_source(void)
{
    return apic ? "local APIC" : "PIT";
}

uint64_t timer_source_hz(void)
{
    return tsc_hz;
}

uint64_t timer_calibration_tsc(void)
{
    return calibration_tsc;
}

void timer_spin_us(uint64_t us)
{
    uint64_t end = timer_now() + us * 1000;

    while (timer_now() < end)
        x86_pause();
}

static void tick(void *context)
{
    (void)context;
    if (cpu_this()->id == 0)
        ticks++;
    if (attached != NULL)
        attached(timer_now());
}

void timer_attach(void (*function)(uint64_t now))
{
    attached = function;
}

void timer_run_tick(bool on)
{
    apic_timer_periodic(on ? apic_count : 0);
}

static void start_tick(uint64_t apic_hz)
{
    if (apic) {
        interrupt_attach(INTERRUPT_TIMER, "timer (APIC)", tick, NULL);
        apic_count = (uint32_t)(apic_hz / TIMER_HZ);
        timer_run_tick(true);
    } else {
        reference_pit_periodic(TIMER_HZ);
        interrupt_attach_line(PIT_LINE, "timer (PIT)", tick, NULL);
    }
}

void timer_init(void)
{
    struct reference_sample sample;
    uint64_t tsc, counts = 0;

    apic = interrupt_controller() != pic_controller();
    reference = reference_start();
    if (apic)
        apic_timer_count(UINT32_MAX);
    tsc = x86_rdtsc();
    sample = reference_measure(SPAN_NS);
    calibration_tsc = x86_rdtsc() - tsc;
    if (apic)
        counts = UINT32_MAX - apic_timer_left();
    tsc_hz = asm_scale(sample.tsc, NS_PER_S, sample.ns);
    ns_per_tick_32 = (NS_PER_S << 32) / tsc_hz;
    tsc_base = x86_rdtsc();
    start_tick(asm_scale(counts, tsc_hz, calibration_tsc));
}
