/* The file format of a cached kernel; see cached.h. */
#include "boot/linux/cached.h"

#include <string.h>

static const char magic[] = "mkvmlnx2";

/* An odd number without a pattern: multiplying by it spreads each bit upwards and loses none. */
#define FACTOR UINT64_C(0x9e3779b97f4a7c15)

enum { LANES = 4, SHIFT = 29 };

static uint64_t mix(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * FACTOR;
    return sum ^ sum >> SHIFT;
}

/* The bytes after the last whole row, padded with zeroes. */
static void last_row(uint64_t words[LANES], const uint8_t *bytes, size_t count)
{
    memset(words, 0, LANES * sizeof words[0]);
    memcpy(words, bytes, count);
}

struct cached_key cached_key_of(const uint8_t secret[SIPHASH_SECRET], const uint8_t *packed,
                                size_t size)
{
    struct cached_key key = {.size = size};

    siphash(secret, packed, size, key.hash);
    return key;
}

/* Fletcher's checksum: a sum, and a sum of sums, which depends on the position of each word (J. G.
 * Fletcher, IEEE Trans. Comm. 30, 1982). */
static uint64_t sum_of(const uint8_t *bytes, size_t size)
{
    uint64_t low[LANES] = {0}, high[LANES] = {0}, words[LANES], sum = size;
    size_t at = 0;

    for (; size - at >= sizeof words; at += sizeof words) {
        memcpy(words, bytes + at, sizeof words);
        for (unsigned i = 0; i < LANES; i++) {
            low[i] += words[i];
            high[i] += low[i];
        }
    }
    last_row(words, bytes + at, size - at);
    for (unsigned i = 0; i < LANES; i++)
        sum = mix(mix(mix(sum, low[i]), high[i]), words[i]);
    return sum;
}

struct cached_header cached_header_of(const struct cached_key *key, const uint8_t *bytes,
                                      size_t size)
{
    struct cached_header header = {.key = *key, .size = size, .sum = sum_of(bytes, size)};

    memcpy(header.magic, magic, sizeof header.magic);
    return header;
}

const uint8_t *cached_open(const uint8_t *file, size_t file_size, const struct cached_key *key,
                           size_t *size)
{
    struct cached_header header;

    if (file_size <= CACHED_OFFSET)
        return NULL;
    memcpy(&header, file, sizeof header);
    if (memcmp(header.magic, magic, sizeof header.magic) != 0 ||
        memcmp(header.key.hash, key->hash, sizeof key->hash) != 0 || header.key.size != key->size ||
        header.size != file_size - CACHED_OFFSET ||
        header.sum != sum_of(file + CACHED_OFFSET, header.size))
        return NULL;
    *size = header.size;
    return file + CACHED_OFFSET;
}
