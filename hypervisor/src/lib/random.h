/*
 * Random bytes for guests (/chosen/rng-seed), made from the seed that the boot loader passed to the
 * hypervisor in the same property: a ChaCha20 generator with fast key erasure, so that no guest can
 * compute the bytes of another guest, or those of its own earlier boots.
 */
#ifndef LIB_RANDOM_H
#define LIB_RANDOM_H

#include "lib/types.h"

enum { RANDOM_SEED = 32 };

/* Mixes what the machine offers into the key. Without this nothing is random, and random_ready() is
 * false. */
void random_stir(const uint8_t *seed, size_t size);
bool random_ready(void);
void random_take(uint8_t out[RANDOM_SEED]);

/* The block function alone (RFC 8439, 2.3), for its test. */
void random_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3],
                  uint32_t out[16]);

#endif
