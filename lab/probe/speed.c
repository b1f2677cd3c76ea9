/* How fast the host's KVM is: two figures for the reader, which decide nothing. See checks.h. */
#include <time.h>

#include "lab/probe/checks.h"

#define MEASURE_SECONDS 0.25

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
