/* A heap in two bitmaps; see heap.h. */
#include "heap.h"

#include <stdbool.h>

#include "common/string.h"

#define TAIL_MAGIC UINT64_C(0x9e3779b97f4a7c15)

enum {
    TAIL = sizeof(uint64_t), /* the word at the end of every block */
    FILL = 0xa5,             /* between the size asked for and the tail */
    GROW_GRANULES = 16384,   /* 256 KB at a time, at least */
};

/* Blocks and granules are aligned for it; what a user writes over it may be of any type. */
typedef uint64_t __attribute__((may_alias)) tail_t;

static tail_t *tail_of(uint8_t *block, size_t granules)
{
    return (tail_t *)(block + granules * HEAP_GRANULE - TAIL);
}

/* The tail says how many bytes are filled, under a number that depends on the place. */
static uint64_t tail_word(const void *block, size_t slack)
{
    return (TAIL_MAGIC ^ (uintptr_t)block) << 4 | slack;
}

static size_t granules_for(size_t size)
{
    return (size + TAIL + HEAP_GRANULE - 1) / HEAP_GRANULE;
}

static bool make_room(struct heap *heap, size_t granules)
{
    size_t have = heap->used.bits, want;

    if (granules > heap->granules_max - have)
        return false;
    want = have + (granules > GROW_GRANULES ? granules : GROW_GRANULES);
    if (want > heap->granules_max)
        want = heap->granules_max;
    if (heap->grow(heap, want) < 0)
        return false;
    heap->used.bits = heap->last.bits = want;
    return true;
}

static size_t find(struct heap *heap, size_t granules)
{
    size_t at = bit_map_find_clear_run(&heap->used, heap->next, granules);

    if (at != BIT_MAP_NONE || !make_room(heap, granules))
        return at;
    return bit_map_find_clear_run(&heap->used, heap->next, granules);
}

void *heap_allocate(struct heap *heap, size_t size)
{
    size_t granules, slack, at;
    uint8_t *block;

    if (size > heap->granules_max * HEAP_GRANULE - TAIL) {
        heap->failures++;
        return NULL;
    }
    granules = granules_for(size);
    at = find(heap, granules);
    if (at == BIT_MAP_NONE) {
        heap->failures++;
        return NULL;
    }
    bit_map_set_run(&heap->used, at, granules);
    bit_map_set(&heap->last, at + granules - 1);
    heap->next = at + granules;
    heap->blocks++;
    heap->allocations++;
    heap->granules_used += granules;
    if (heap->granules_used > heap->granules_peak)
        heap->granules_peak = heap->granules_used;
    block = heap->base + at * HEAP_GRANULE;
    slack = granules * HEAP_GRANULE - TAIL - size;
    memset(block + size, FILL, slack);
    *tail_of(block, granules) = tail_word(block, slack);
    return block;
}

/* Finds and checks a block: its first granule and how many it has. */
static int examine(const struct heap *heap, const void *pointer, size_t *at, size_t *granules)
{
    uint8_t *block = (uint8_t *)pointer; /* read only */
    size_t offset = (uintptr_t)block - (uintptr_t)heap->base, slack;
    uint64_t tail;

    if (block < heap->base || offset % HEAP_GRANULE != 0 ||
        offset / HEAP_GRANULE >= heap->used.bits)
        return HEAP_FOREIGN;
    *at = offset / HEAP_GRANULE;
    if (!bit_map_get(&heap->used, *at))
        return HEAP_FREE;
    if (*at > 0 && bit_map_get(&heap->used, *at - 1) && !bit_map_get(&heap->last, *at - 1))
        return HEAP_INSIDE;
    *granules = bit_map_next_set(&heap->last, *at, heap->last.bits) - *at + 1;
    tail = *tail_of(block, *granules);
    slack = tail & (HEAP_GRANULE - 1);
    if (tail != tail_word(block, slack))
        return HEAP_OVERRUN;
    for (size_t i = 1; i <= slack; i++)
        if (block[*granules * HEAP_GRANULE - TAIL - i] != FILL)
            return HEAP_OVERRUN;
    return HEAP_OK;
}

int heap_free(struct heap *heap, void *block)
{
    size_t at, granules;
    int error = examine(heap, block, &at, &granules);

    if (error != HEAP_OK)
        return error;
    bit_map_clear_run(&heap->used, at, granules);
    bit_map_clear(&heap->last, at + granules - 1);
    if (heap->next == at + granules) /* the newest block: its place is the next one's again */
        heap->next = at;
    heap->blocks--;
    heap->frees++;
    heap->granules_used -= granules;
    return HEAP_OK;
}

int heap_check(const struct heap *heap, const void *block)
{
    size_t at, granules;

    return examine(heap, block, &at, &granules);
}

const char *heap_error_text(int error)
{
    switch (error) {
    case HEAP_OK:
        return "no error";
    case HEAP_FOREIGN:
        return "not a block of this heap";
    case HEAP_FREE:
        return "freed twice";
    case HEAP_INSIDE:
        return "not the beginning of a block";
    default:
        return "written past its end";
    }
}
