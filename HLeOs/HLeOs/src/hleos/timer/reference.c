/* IA-PC HPET specification 1.0a, 2.3; the 8254: common/pc/pit.h. See reference.h. */
#include "timer/reference.h"

#include <stdbool.h>
#include <stddef.h>

#include "common/pc/pit.h"
#include "cpu/panic.h"
#include "interrupt/acpi.h"
#include "memory/paging.h"

enum { HPET_CAPABILITIES = 0, HPET_CONFIGURATION = 2, HPET_COUNTER = 30 }; /* in 64-bit words */
enum { HPET_ENABLE = 1, HPET_SIZE = 1024, HPET_PERIOD_MAX = 100000000 };
enum {
    READINGS = 8,
    READINGS_MAX = 64,
    LOOKS = 10000000,
    SAMPLES = 6,
    GOOD_ENOUGH = 500 /* error at most 1/500 */
};

#define FS_PER_NS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

/* HPET specification 3.2.4. */
struct hpet_table {
    struct acpi_header header;
    uint32_t block;
    uint8_t space, width, offset, access;
    uint64_t address;
} __attribute__((packed));

static volatile uint64_t *hpet;
static uint64_t hpet_period; /* femtoseconds a count */
static uint64_t passed;      /* counts since the start, of HPET or PIT */
static uint32_t last;        /* the counter at the last read */

static bool find_hpet(void)
{
    const struct hpet_table *table = (const struct hpet_table *)acpi_find("HPET");

    if (table == NULL || table->header.length < sizeof *table || table->space != 0)
        return false;
    if (hpet == NULL)
        hpet = paging_map_device(PHYS(table->address), HPET_SIZE, PAGING_WRITE | PAGING_UNCACHED);
    if (hpet == NULL)
        return false;
    hpet_period = hpet[HPET_CAPABILITIES] >> 32;
    if (hpet_period == 0 || hpet_period > HPET_PERIOD_MAX)
        return false;
    hpet[HPET_CONFIGURATION] = hpet[HPET_CONFIGURATION] | HPET_ENABLE;
    return true;
}

const char *reference_start(void)
{
    passed = 0;
    if (find_hpet()) {
        last = (uint32_t)hpet[HPET_COUNTER]; /* some are 32 bits wide */
        return "HPET";
    }
    hpet_period = 0;
    pc_pit_start(PC_PIT_LONGEST);
    last = pc_pit_read();
    return "PIT";
}

/* The timer was at `ns` at some time between two reads of the TSC, `width` ticks apart. */
struct reading {
    uint64_t tsc, width, ns;
};

static struct reading read(void)
{
    uint64_t before = x86_rdtsc(), after;
    uint32_t now = hpet_period != 0 ? (uint32_t)hpet[HPET_COUNTER] : pc_pit_read();

    after = x86_rdtsc();
    passed += hpet_period != 0 ? now - last : (uint16_t)(last - now); /* the PIT counts down */
    last = now;
    return (struct reading){.tsc = before + (after - before) / 2,
                            .width = after - before,
                            .ns = hpet_period != 0 ? passed * hpet_period / FS_PER_NS
                                                   : passed * NS_PER_S / PC_PIT_HZ};
}

/* Makes several readings and returns the narrowest one. Makes more as long as it is much wider than
 * `narrowest`, the narrowest so far: the host may interrupt a reading. */
static struct reading best_reading(uint64_t *narrowest)
{
    struct reading best = read(), next;

    for (int i = 1; i < READINGS_MAX && (i < READINGS || best.width > 2 * *narrowest); i++) {
        next = read();
        if (next.width < best.width)
            best = next;
        if (next.width < *narrowest)
            *narrowest = next.width;
    }
    return best;
}

/*
 * The minimal time of a reading is in both ends and cancels out; the error is the excess of the two
 * readings over the narrowest. With the PIT a long gap between two readings is an error too: the
 * counter may have wrapped.
 */
static struct reference_sample measure_once(uint64_t span_ns)
{
    uint64_t narrowest = UINT64_MAX / 2, gap = 0, looks = 0, before;
    struct reading start = best_reading(&narrowest), end, now = start;

    while (now.ns - start.ns < span_ns) {
        before = now.tsc;
        now = read();
        if (++looks == LOOKS)
            panic("the %s does not count", hpet_period != 0 ? "HPET" : "PIT");
        if (now.tsc - before > gap)
            gap = now.tsc - before;
    }
    end = best_reading(&narrowest);
    if (narrowest > start.width)
        narrowest = start.width;
    return (struct reference_sample){
        .tsc = end.tsc - start.tsc,
        .ns = end.ns - start.ns,
        .error = start.width + end.width - 2 * narrowest +
                 (hpet_period == 0 && gap > (end.tsc - start.tsc) / 4 ? gap : 0)};
}

struct reference_sample reference_measure(uint64_t span_ns)
{
    struct reference_sample best = measure_once(span_ns), next;

    for (int i = 1; i < SAMPLES && best.error > best.tsc / GOOD_ENOUGH; i++) {
        next = measure_once(span_ns);
        if (next.error < best.error)
            best = next;
    }
    return best;
}

void reference_pit_periodic(unsigned hz)
{
    pc_pit_start((PC_PIT_HZ + hz / 2) / hz);
}
