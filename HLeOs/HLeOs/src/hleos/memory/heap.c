/* Pages of small blocks; see heap.h. */
#include "memory/heap.h"

#include <stdbool.h>

#include "common/string.h"
#include "std/bit_map.h"

#define SLAB_MAGIC UINT64_C(0x6873616c62706167)
#define TAIL_MAGIC UINT64_C(0x9e3779b97f4a7c15)

enum { TAIL = sizeof(uint64_t), FILL = 0xa5, SLAB_WORDS = 2, SLACK_BITS = 13 };

/* The block sizes, with their tails. Each is a multiple of HEAP_ALIGNMENT; the last four leave at
 * most HEAP_ALIGNMENT bytes of a page unused. */
static const uint16_t sizes[HEAP_CLASSES] = {32,  48,  64,  96,   128,  192, 256,
                                             384, 496, 672, 1008, 1344, 2016};

/* The header of a page of blocks. */
struct slab {
    uint64_t magic; /* SLAB_MAGIC and the page's own address */
    struct queue_link link;
    uint16_t size, capacity, used;
    uint64_t bits[SLAB_WORDS]; /* a bit for each block: in use */
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct slab) == 64, "the sizes above are made for it");
_Static_assert((HEAP_PAGE - sizeof(struct slab)) / 32 <= SLAB_WORDS * 64, "a bit a block");

/* A caller may overwrite it with data of any type. */
typedef uint64_t __attribute__((may_alias)) tail_t;

/* The tail has the number of unused bytes, and above it a check value that depends on the address
 * and on that number. So even one changed byte of the number is detected. */
static uint64_t tail_word(const void *block, size_t slack)
{
    return (TAIL_MAGIC * (slack + 1) ^ (uintptr_t)block) << SLACK_BITS | slack;
}

void heap_mark_end(uint8_t *block, size_t size, uint8_t *end)
{
    size_t slack = (size_t)(end - block) - TAIL - size;

    memset(block + size, FILL, slack);
    *(tail_t *)(end - TAIL) = tail_word(block, slack);
}

int heap_check_end(const uint8_t *block, const uint8_t *end)
{
    uint64_t tail = *(const tail_t *)(end - TAIL);
    size_t slack = tail & ((1 << SLACK_BITS) - 1);

    if (tail != tail_word(block, slack) || slack > (size_t)(end - block) - TAIL)
        return HEAP_OVERRUN;
    for (const uint8_t *p = end - TAIL - slack; p < end - TAIL; p++)
        if (*p != FILL)
            return HEAP_OVERRUN;
    return HEAP_OK;
}

static unsigned class_of(size_t size)
{
    unsigned class = 0;

    while (sizes[class] < size + TAIL)
        class ++;
    return class;
}

static struct slab *slab_of(const void *block)
{
    return (struct slab *)((uintptr_t)block & ~(uintptr_t)(HEAP_PAGE - 1));
}

static struct bit_map map_of(struct slab *slab)
{
    return (struct bit_map){.words = slab->bits, .bits = slab->capacity};
}

static struct slab *new_slab(struct heap *heap, unsigned class)
{
    struct slab *slab = heap->page_get();

    if (slab == NULL)
        return NULL;
    *slab = (struct slab){.magic = SLAB_MAGIC ^ (uintptr_t)slab,
                          .size = sizes[class],
                          .capacity = (uint16_t)((HEAP_PAGE - sizeof *slab) / sizes[class])};
    queue_list_push(&heap->partial[class], &slab->link);
    heap->pages++;
    return slab;
}

void *heap_allocate(struct heap *heap, size_t size)
{
    unsigned class = class_of(size);
    struct queue_link *first = queue_list_first(&heap->partial[class]);
    struct slab *slab =
        first != NULL ? queue_entry(first, struct slab, link) : new_slab(heap, class);
    struct bit_map map;
    size_t at;
    uint8_t *block;

    if (slab == NULL)
        return NULL;
    map = map_of(slab);
    at = bit_map_next_clear(&map, 0, map.bits);
    bit_map_set(&map, at);
    if (++slab->used == slab->capacity)
        queue_list_remove(&slab->link);
    heap->blocks++;
    heap->bytes_used += slab->size;
    block = (uint8_t *)(slab + 1) + at * slab->size;
    heap_mark_end(block, size, block + slab->size);
    return block;
}

/* Finds and checks a block: its page, and its number in it. */
static int examine(const void *pointer, struct slab **slab, size_t *at)
{
    const uint8_t *block = pointer;
    struct slab *s = slab_of(block);
    size_t offset = (size_t)(block - (const uint8_t *)(s + 1));
    struct bit_map map;

    if ((uintptr_t)block % HEAP_ALIGNMENT != 0 || block < (const uint8_t *)(s + 1) ||
        s->magic != (SLAB_MAGIC ^ (uintptr_t)s) || offset / s->size >= s->capacity)
        return HEAP_FOREIGN;
    map = map_of(s);
    *slab = s;
    *at = offset / s->size;
    if (!bit_map_get(&map, *at))
        return HEAP_FREE;
    if (offset % s->size != 0)
        return HEAP_INSIDE;
    return heap_check_end(block, block + s->size);
}

int heap_free(struct heap *heap, void *block)
{
    struct slab *slab;
    struct queue_list *partial;
    struct bit_map map;
    size_t at;
    int error = examine(block, &slab, &at);

    if (error != HEAP_OK)
        return error;
    map = map_of(slab);
    partial = &heap->partial[class_of(slab->size - TAIL)];
    bit_map_clear(&map, at);
    if (slab->used-- == slab->capacity)
        queue_list_push(partial, &slab->link);
    heap->blocks--;
    heap->bytes_used -= slab->size;
    if (slab->used == 0 && partial->ring.next != partial->ring.previous) {
        queue_list_remove(&slab->link);
        slab->magic = 0;
        heap->pages--;
        heap->page_put(slab);
    }
    return HEAP_OK;
}

int heap_check(const void *block)
{
    struct slab *slab;
    size_t at;

    return examine(block, &slab, &at);
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
