/*
 * A program's heap: one list of all blocks, free and used, in order of address. malloc() takes the
 * first that is large enough, free() joins a block with free neighbours behind it; new memory comes
 * from sbrk(), and is never returned.
 */
#include "lib.h"

struct block {
    size_t size; /* of the memory after this header */
    struct block *next;
    bool used;
} __attribute__((aligned(16)));

enum { LEAST_GROWTH = 0x4000 };

static struct block *first, *last;

static struct block *grow(size_t size)
{
    size_t bytes = sizeof(struct block) + size;
    struct block *block;

    if (bytes < LEAST_GROWTH)
        bytes = LEAST_GROWTH;
    if (bytes > INT32_MAX || (block = sbrk((long)bytes)) == (void *)-1)
        return NULL;
    *block = (struct block){.size = bytes - sizeof *block};
    if (last != NULL)
        last->next = block;
    else
        first = block;
    last = block;
    return block;
}

/* Blocks are contiguous unless the program has called sbrk() itself. */
static void join_with_next(struct block *block)
{
    struct block *next = block->next;

    if (next == NULL || next->used || (char *)(block + 1) + block->size != (char *)next)
        return;
    block->size += sizeof *next + next->size;
    block->next = next->next;
    if (last == next)
        last = block;
}

static void split(struct block *block, size_t size)
{
    struct block *rest = (struct block *)((char *)(block + 1) + size);

    if (block->size < size + sizeof *rest + 16)
        return;
    *rest = (struct block){.size = block->size - size - sizeof *rest, .next = block->next};
    block->size = size;
    block->next = rest;
    if (last == block)
        last = rest;
}

void *malloc(size_t size)
{
    struct block *block = first;

    if (size > INT32_MAX)
        return NULL;
    size = (size + 15) & ~(size_t)15;
    for (; block != NULL; block = block->next) {
        while (!block->used && block->next != NULL && block->size < size) {
            size_t before = block->size;

            join_with_next(block);
            if (block->size == before)
                break;
        }
        if (!block->used && block->size >= size)
            break;
    }
    if (block == NULL)
        block = grow(size);
    if (block == NULL)
        return NULL;
    split(block, size);
    block->used = true;
    return block + 1;
}

void free(void *at)
{
    struct block *block = at;

    if (at == NULL)
        return;
    block--;
    block->used = false;
    join_with_next(block);
}
