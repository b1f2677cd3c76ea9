/* The host's wall clock; see clock.h. */
#include "host/clock.h"

#include <time.h>

uint64_t clock_seconds(void)
{
    time_t now = time(NULL);

    return now > 0 ? (uint64_t)now : 0;
}
