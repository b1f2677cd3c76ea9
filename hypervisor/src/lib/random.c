/* ChaCha20 (RFC 8439, 2.1 to 2.3) as a generator; see random.h. */
#include "lib/random.h"

#include "common/string.h"
#include "lib/lock.h"

static struct lock lock; /* guards the key */
static uint32_t key[8];
static bool ready;

static uint32_t rotate(uint32_t x, unsigned by)
{
    return x << by | x >> (32 - by);
}

static void quarter(uint32_t s[16], unsigned a, unsigned b, unsigned c, unsigned d)
{
    s[a] += s[b], s[d] = rotate(s[d] ^ s[a], 16);
    s[c] += s[d], s[b] = rotate(s[b] ^ s[c], 12);
    s[a] += s[b], s[d] = rotate(s[d] ^ s[a], 8);
    s[c] += s[d], s[b] = rotate(s[b] ^ s[c], 7);
}

void random_block(const uint32_t k[8], uint32_t counter, const uint32_t nonce[3], uint32_t out[16])
{
    uint32_t s[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}; /* "expand 32-byte k" */
    uint32_t start[16];

    memcpy(s + 4, k, 32);
    s[12] = counter;
    memcpy(s + 13, nonce, 12);
    memcpy(start, s, sizeof start);
    for (int i = 0; i < 10; i++) {
        for (unsigned column = 0; column < 4; column++)
            quarter(s, column, 4 + column, 8 + column, 12 + column);
        for (unsigned row = 0; row < 4; row++)
            quarter(s, row, 4 + (row + 1) % 4, 8 + (row + 2) % 4, 12 + (row + 3) % 4);
    }
    for (unsigned i = 0; i < 16; i++)
        out[i] = s[i] + start[i];
}

/* Computes a block with the key: half of it is the next key, half is for the caller. The lock is
 * held. */
static void step(uint8_t out[RANDOM_SEED])
{
    static const uint32_t nonce[3];
    uint32_t block[16];

    random_block(key, 0, nonce, block);
    memcpy(key, block, sizeof key);
    memcpy(out, block + 8, RANDOM_SEED);
}

void random_stir(const uint8_t *seed, size_t size)
{
    uint8_t ignored[RANDOM_SEED];

    lock_take(&lock);
    for (size_t i = 0; i < size; i++) {
        ((uint8_t *)key)[i % sizeof key] ^= seed[i];
        if (i % sizeof key == sizeof key - 1 || i == size - 1)
            step(ignored);
    }
    ready |= size >= RANDOM_SEED;
    lock_drop(&lock);
}

bool random_ready(void)
{
    return ready;
}

void random_take(uint8_t out[RANDOM_SEED])
{
    lock_take(&lock);
    step(out);
    lock_drop(&lock);
}
