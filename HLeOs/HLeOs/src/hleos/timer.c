/*
 * The clock is the processor's time-stamp counter, measured once against a timer whose rate is
 * known: the HPET where ACPI names one, else the PIT. The tick comes from the local APIC's timer,
 * measured in the same stretch, or from the PIT where the PIC is in charge.
 */
#include "timer.h"

#include "common/x86.h"
#include "interrupt.h"
#include "interrupt/apic.h"
#include "interrupt/pic.h"
#include "iostream.h"
#include "thread.h"
#include "timer/reference.h"

#define NS_PER_S UINT64_C(1000000000)

enum { CALIBRATION_US = 5000, PIT_LINE = 0 };

static uint64_t tsc_base, tsc_hz, ns_per_tick_32; /* ns a TSC tick, 32 bits behind the point */
static uint64_t ticks, calibration_tsc;

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
    ticks++;
    thread_tick(timer_now());
}

static void start_tick(bool apic, uint64_t apic_hz)
{
    if (apic) {
        interrupt_attach(INTERRUPT_TIMER, "timer (APIC)", tick, NULL);
        apic_timer_periodic((uint32_t)(apic_hz / TIMER_HZ));
    } else {
        reference_pit_periodic(TIMER_HZ);
        interrupt_attach_line(PIT_LINE, "timer (PIT)", tick, NULL);
    }
}

void timer_init(void)
{
    bool apic = interrupt_controller() != pic_controller();
    bool hpet = reference_hpet_init();
    uint64_t tsc, apic_left = UINT32_MAX, us;

    if (apic)
        apic_timer_count(UINT32_MAX);
    tsc = x86_rdtsc();
    us = hpet ? reference_hpet_wait(CALIBRATION_US) : reference_pit_wait(CALIBRATION_US);
    tsc = x86_rdtsc() - tsc;
    if (apic)
        apic_left = apic_timer_left();
    calibration_tsc = tsc;
    tsc_hz = tsc * 1000000 / us;
    ns_per_tick_32 = (NS_PER_S << 32) / tsc_hz;
    tsc_base = x86_rdtsc();
    start_tick(apic, (UINT32_MAX - apic_left) * UINT64_C(1000000) / us);
    println("clock: TSC %lu.%03lu MHz by the %s, tick by the %s", tsc_hz / 1000000,
            tsc_hz / 1000 % 1000, hpet ? "HPET" : "PIT", apic ? "local APIC" : "PIT");
}
