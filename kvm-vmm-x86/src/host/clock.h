/* The host's clocks: that on the wall, and the CPU's own. */
#ifndef HOST_CLOCK_H
#define HOST_CLOCK_H

#include <stdint.h>

/* Nanoseconds since 1970, UTC. */
uint64_t clock_wall(void);

/* CPU time that this process has used: right after its start, how long the start took. */
uint64_t clock_process_ns(void);

/* The CPU's time stamp counter: two of these cost less than one look at any other clock. */
static inline uint64_t clock_cycles(void)
{
    return __builtin_ia32_rdtsc();
}

#endif
