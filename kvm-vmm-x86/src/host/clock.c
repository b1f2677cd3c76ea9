/* The host's wall clock; see clock.h. */
#include "host/clock.h"

#include <time.h>

uint64_t clock_seconds(void)
{
    time_t now = time(NULL);

    return now > 0 ? (uint64_t)now : 0;
}

uint64_t clock_process_ns(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * UINT64_C(1000000000) + (uint64_t)used.tv_nsec;
}
