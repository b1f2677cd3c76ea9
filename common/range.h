/* Ranges of addresses: [base, end). */
#ifndef COMMON_RANGE_H
#define COMMON_RANGE_H

#include <stdint.h>

/*
 * Returns an address at which `size` bytes do not overlap [base, end): `at` if they do not overlap
 * there, else the first multiple of `unit`, a power of two, at or above `end`. No sum overflows as
 * long as all addresses lie below 2^63.
 */
static inline uint64_t range_beyond(uint64_t at, uint64_t size, uint64_t base, uint64_t end,
                                    uint64_t unit)
{
    return at < end && at + size > base ? (end + unit - 1) & -unit : at;
}

#endif
