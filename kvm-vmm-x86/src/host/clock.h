/* The host's wall clock. */
#ifndef HOST_CLOCK_H
#define HOST_CLOCK_H

#include <stdint.h>

/* Seconds since 1970, UTC. */
uint64_t clock_seconds(void);

#endif
