/* The speed of the host's KVM: two figures that do not affect the verdict, and its time-stamp
 * counter. See checks.h. */
#include <stdint.h>
#include <time.h>
#include <x86intrin.h>

#include "lab/probe/checks.h"

#define MEASURE_SECONDS 0.25
#define READINGS        1000

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int speed_exits(struct guest *guest)
{
    int code = guest_make(guest, GUEST_CODE(exits), GUEST_REAL);
    double start = seconds();
    double end = start;
    unsigned count = 0;

    for (; code == 0 && end - start < MEASURE_SECONDS; count++, end = seconds())
        code = guest_expect(guest, 0, KVM_EXIT_IO);
    if (code < 0)
        return code;
    guest_fail(guest, "%.0f exits a second", count / (end - start));
    return 0;
}

int speed_instructions(struct guest *guest)
{
    int code = guest_make(guest, GUEST_CODE(count), GUEST_LONG);
    double start = seconds();

    if (code == 0)
        code = guest_expect(guest, 0, KVM_EXIT_IO);
    if (code < 0)
        return code;
    guest_fail(guest, "%.1f million instructions a second", 2e-6 * COUNT / (seconds() - start));
    return 0;
}

/* Counter and clock at the same moment. Of many readings it uses the shortest, since another
 * program may run between the two reads. */
static double counter_at(uint64_t *counter)
{
    uint64_t least = UINT64_MAX;
    double at = 0;

    for (int i = 0; i < READINGS; i++) {
        uint64_t before = __rdtsc();
        double now = seconds();
        uint64_t took = __rdtsc() - before;

        if (took < least) {
            least = took;
            *counter = before + took / 2;
            at = now;
        }
    }
    return at;
}

unsigned speed_counter(void)
{
    const struct timespec wait = {.tv_nsec = 50000000};
    uint64_t first = 0, last = 0;
    double begun = counter_at(&first), end;

    nanosleep(&wait, NULL);
    end = counter_at(&last);
    return (unsigned)(1e-3 / (end - begun) * (double)(last - first) + 0.5);
}
