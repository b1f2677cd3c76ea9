/* Ranges of addresses: [base, end). */
#ifndef COMMON_RANGE_H
#define COMMON_RANGE_H

#include <stdint.h>

/*
 * Where `size` bytes at `at` do not touch [base, end): `at` itself if they do not, else the first
 * multiple of `unit`, a power of two, behind the range. Of the overflows none matters as long as
 * all of it lies below 2^63.
 */
static inline uint64_t range_beyond(uint64_t at, uint64_t size, uint64_t base, uint64_t end,
                                    uint64_t unit)
{
    return at < end && at + size > base ? (end + unit - 1) & -unit : at;
}

#endif
