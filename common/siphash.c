/* SipHash-2-4-128; see siphash.h. Words are little-endian. */
#include "common/siphash.h"

enum { ROUNDS = 2, LAST_ROUNDS = 4, WIDE = 0xee, WIDE_SECOND_HALF = 0xdd, WORD = 8 };

struct state {
    uint64_t v[4];
};

static inline uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static inline void mix(struct state *s, unsigned rounds)
{
    uint64_t a = s->v[0], b = s->v[1], c = s->v[2], d = s->v[3];

    while (rounds-- > 0) {
        a += b;
        c += d;
        b = rotate(b, 13) ^ a;
        d = rotate(d, 16) ^ c;
        a = rotate(a, 32) + d;
        c += b;
        d = rotate(d, 21) ^ a;
        b = rotate(b, 17) ^ c;
        c = rotate(c, 32);
    }
    *s = (struct state){{a, b, c, d}};
}

/* All target machines are little-endian too. */
static inline uint64_t load(const uint8_t *bytes, size_t count)
{
    uint64_t word = 0;

    __builtin_memcpy(&word, bytes, count);
    return word;
}

static inline void take(struct state *s, uint64_t word)
{
    s->v[3] ^= word;
    mix(s, ROUNDS);
    s->v[0] ^= word;
}

static void store(uint8_t *to, const struct state *s)
{
    uint64_t word = s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3];

    __builtin_memcpy(to, &word, WORD);
}

void siphash(const uint8_t secret[SIPHASH_SECRET], const void *bytes, size_t size,
             uint8_t result[SIPHASH_SIZE])
{
    const uint8_t *p = bytes;
    uint64_t low = load(secret, WORD), high = load(secret + WORD, WORD);
    struct state s = {{low ^ UINT64_C(0x736f6d6570736575), high ^ UINT64_C(0x646f72616e646f6d),
                       low ^ UINT64_C(0x6c7967656e657261), high ^ UINT64_C(0x7465646279746573)}};
    size_t left = size;

    s.v[1] ^= WIDE;
    for (; left >= WORD; left -= WORD, p += WORD)
        take(&s, load(p, WORD));
    take(&s, load(p, left) | (uint64_t)size << 56);
    s.v[2] ^= WIDE;
    mix(&s, LAST_ROUNDS);
    store(result, &s);
    s.v[1] ^= WIDE_SECOND_HALF;
    mix(&s, LAST_ROUNDS);
    store(result + WORD, &s);
}
