/* Bits in words; see bit_map.h. Every loop goes by words, never bit by bit. */
#include "std/bit_map.h"

enum { WORD = 64 };

static const uint64_t ALL = ~UINT64_C(0);

bool bit_map_get(const struct bit_map *map, size_t at)
{
    return map->words[at / WORD] >> at % WORD & 1;
}

/* All changes of a word are made here. */
static void write(struct bit_map *map, size_t index, uint64_t word)
{
    uint64_t bit = UINT64_C(1) << index % WORD;

    map->words[index] = word;
    if (map->full == NULL)
        return;
    if (word == ALL)
        map->full[index / WORD] |= bit;
    else
        map->full[index / WORD] &= ~bit;
}

void bit_map_set(struct bit_map *map, size_t at)
{
    write(map, at / WORD, map->words[at / WORD] | UINT64_C(1) << at % WORD);
}

void bit_map_clear(struct bit_map *map, size_t at)
{
    write(map, at / WORD, map->words[at / WORD] & ~(UINT64_C(1) << at % WORD));
}

/* The bits of one word that a run of `count` from bit `shift` covers. */
static uint64_t mask(size_t shift, size_t count)
{
    return (count >= WORD ? ALL : (UINT64_C(1) << count) - 1) << shift;
}

/* The number of a run's bits that lie in its first word. */
static size_t in_word(size_t at, size_t count)
{
    size_t room = WORD - at % WORD;

    return count < room ? count : room;
}

void bit_map_set_run(struct bit_map *map, size_t at, size_t count)
{
    while (count > 0) {
        size_t n = in_word(at, count);

        write(map, at / WORD, map->words[at / WORD] | mask(at % WORD, n));
        at += n;
        count -= n;
    }
}

void bit_map_clear_run(struct bit_map *map, size_t at, size_t count)
{
    while (count > 0) {
        size_t n = in_word(at, count);

        write(map, at / WORD, map->words[at / WORD] & ~mask(at % WORD, n));
        at += n;
        count -= n;
    }
}

/* The first word from `index` on that may contain a matching bit. */
static size_t next_word(const struct bit_map *map, size_t index, size_t end, uint64_t flip)
{
    struct bit_map above = {.words = map->full, .bits = end};

    return flip == ALL && map->full != NULL ? bit_map_next_clear(&above, index, end) : index;
}

/* The first bit from word `index` on that is set once each word has been XORed with `flip`. A
 * function of its own, since next() usually needs only one word and so stays small. */
static __attribute__((noinline)) size_t next_from_word(const struct bit_map *map, size_t index,
                                                       size_t end, uint64_t flip)
{
    size_t words = bit_map_words(end), at;

    for (;;) {
        index = next_word(map, index, words, flip);
        if (index >= words)
            return end;
        if (map->words[index] != flip)
            break;
        index++;
    }
    at = index * WORD + (size_t)__builtin_ctzll(map->words[index] ^ flip);
    return at < end ? at : end;
}

/* The same in [from, end). */
static size_t next(const struct bit_map *map, size_t from, size_t end, uint64_t flip)
{
    uint64_t word;

    if (from >= end)
        return end;
    word = (map->words[from / WORD] ^ flip) >> from % WORD;
    if (word == 0)
        return next_from_word(map, from / WORD + 1, end, flip);
    from += (size_t)__builtin_ctzll(word);
    return from < end ? from : end;
}

size_t bit_map_next_set(const struct bit_map *map, size_t from, size_t end)
{
    return next(map, from, end, 0);
}

size_t bit_map_next_clear(const struct bit_map *map, size_t from, size_t end)
{
    return next(map, from, end, ALL);
}

/* Finds a run of `count` clear bits that begins in [from, begin_before) and lies in the map. */
static size_t find(const struct bit_map *map, size_t from, size_t begin_before, size_t count)
{
    for (;;) {
        size_t begin = bit_map_next_clear(map, from, begin_before);

        if (begin >= begin_before || count > map->bits - begin)
            return BIT_MAP_NONE;
        from = bit_map_next_set(map, begin, begin + count);
        if (from == begin + count)
            return begin;
    }
}

size_t bit_map_find_clear_run(const struct bit_map *map, size_t from, size_t count)
{
    size_t at;

    if (count == 0 || count > map->bits)
        return BIT_MAP_NONE;
    if (from > map->bits)
        from = 0;
    at = find(map, from, map->bits, count);
    return at != BIT_MAP_NONE ? at : find(map, 0, from, count);
}

/* The number of set bits in a word. It does not use the compiler's builtin, which without POPCNT
 * calls libgcc: the kernel does not have it. */
static size_t ones(uint64_t word)
{
    size_t count = 0;

    for (; word != 0; word &= word - 1)
        count++;
    return count;
}

size_t bit_map_count_set(const struct bit_map *map)
{
    size_t count = 0, whole = map->bits / WORD, rest = map->bits % WORD;

    for (size_t i = 0; i < whole; i++)
        count += ones(map->words[i]);
    if (rest > 0)
        count += ones(map->words[whole] & mask(0, rest));
    return count;
}
