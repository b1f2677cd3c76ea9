/* The host's clocks: that on the wall, and the CPU's own. */
#ifndef HOST_CLOCK_H
#define HOST_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds since 1970, UTC. */
uint64_t clock_wall(void);

/* Nanoseconds that nothing sets, as KVM's clock counts them. */
static inline uint64_t clock_steady(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* CPU time that this process has used: right after its start, how long the start took. */
uint64_t clock_process_ns(void);

/* The CPU's time stamp counter: two of these cost less than one look at any other clock. */
static inline uint64_t clock_cycles(void)
{
    return __builtin_ia32_rdtsc();
}

#endif
