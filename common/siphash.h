/* SipHash-2-4 with 128 bits of result: J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast
 * short-input PRF". Without the secret one cannot make two texts with the same result. */
#ifndef COMMON_SIPHASH_H
#define COMMON_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

enum { SIPHASH_SECRET = 16, SIPHASH_SIZE = 16 };

void siphash(const uint8_t secret[SIPHASH_SECRET], const void *bytes, size_t size,
             uint8_t result[SIPHASH_SIZE]);

#endif
