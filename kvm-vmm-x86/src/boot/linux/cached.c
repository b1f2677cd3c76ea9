/* The form of a kept kernel; see cached.h. */
#include "boot/linux/cached.h"

#include <string.h>

static const char magic[8] = "mkvmlnx1";

/* Odd numbers without pattern: multiplying by them moves every bit upwards and loses none. */
#define FACTOR UINT64_C(0x9e3779b97f4a7c15)
#define START  UINT64_C(0xc2b2ae3d27d4eb4f)

enum { LANES = 4, SHIFT = 29 };

static uint64_t mix(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * FACTOR;
    return sum ^ sum >> SHIFT;
}

/* The bytes that are left when there is no whole row any more, padded with zeroes. */
static void last_row(uint64_t words[LANES], const uint8_t *bytes, size_t count)
{
    memset(words, 0, LANES * sizeof words[0]);
    memcpy(words, bytes, count);
}

/* Four sums side by side, so that one multiplication need not wait for another. */
struct cached_key cached_key_of(const uint8_t *packed, size_t size)
{
    uint64_t lanes[LANES] = {START, START + 1, START + 2, START + 3}, words[LANES];
    uint64_t sum = size;
    size_t at = 0;

    for (; size - at >= sizeof words; at += sizeof words) {
        memcpy(words, packed + at, sizeof words);
        for (unsigned i = 0; i < LANES; i++)
            lanes[i] = mix(lanes[i], words[i]);
    }
    last_row(words, packed + at, size - at);
    for (unsigned i = 0; i < LANES; i++)
        sum = mix(sum, mix(lanes[i], words[i]));
    return (struct cached_key){.sum = sum, .size = size};
}

/* Fletcher's: a sum, and a sum of sums, which knows where a word stood (J. G. Fletcher, IEEE Trans.
 * Comm. 30, 1982). */
uint64_t cached_sum(const uint8_t *bytes, size_t size)
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

struct cached_header cached_seal(const struct cached_key *key, const uint8_t *bytes, size_t size)
{
    struct cached_header header = {.key = *key, .size = size, .sum = cached_sum(bytes, size)};

    memcpy(header.magic, magic, sizeof magic);
    return header;
}

const uint8_t *cached_open(const uint8_t *file, size_t file_size, const struct cached_key *key,
                           size_t *size)
{
    struct cached_header header;

    if (file_size <= CACHED_OFFSET)
        return NULL;
    memcpy(&header, file, sizeof header);
    if (memcmp(header.magic, magic, sizeof magic) != 0 || header.key.sum != key->sum ||
        header.key.size != key->size || header.size != file_size - CACHED_OFFSET ||
        header.sum != cached_sum(file + CACHED_OFFSET, header.size))
        return NULL;
    *size = header.size;
    return file + CACHED_OFFSET;
}
