/*
 * A bit map in the caller's words, searched a word at a time. With a second map, `full`, a search
 * for clear bits skips 64 full words at a time. Pure: no allocation, no lock; the page allocator
 * and the heap use it. Positions are bit numbers from 0.
 */
#ifndef STD_BIT_MAP_H
#define STD_BIT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bit_map {
    uint64_t *words; /* bit_map_words(bits) of them */
    size_t bits;
    uint64_t *full; /* NULL, or a bit for each word: whether all its bits are set */
};

#define BIT_MAP_NONE ((size_t)-1) /* the answer of a search that found nothing */

/* How many words `bits` bits take. */
static inline size_t bit_map_words(size_t bits)
{
    return (bits + 63) / 64;
}

bool bit_map_get(const struct bit_map *map, size_t at);
void bit_map_set(struct bit_map *map, size_t at);
void bit_map_clear(struct bit_map *map, size_t at);

/* The `count` bits from `at`, all to 1 or all to 0. */
void bit_map_set_run(struct bit_map *map, size_t at, size_t count);
void bit_map_clear_run(struct bit_map *map, size_t at, size_t count);

/* The first bit of that value in [from, end), or `end`. */
size_t bit_map_next_set(const struct bit_map *map, size_t from, size_t end);
size_t bit_map_next_clear(const struct bit_map *map, size_t from, size_t end);

/* Where `count` clear bits in a row begin: the first such place in [from, bits), else the first
 * that begins before `from`, else BIT_MAP_NONE. Giving the end of the last find as `from` makes it
 * next-fit. */
size_t bit_map_find_clear_run(const struct bit_map *map, size_t from, size_t count);

size_t bit_map_count_set(const struct bit_map *map);

#endif
