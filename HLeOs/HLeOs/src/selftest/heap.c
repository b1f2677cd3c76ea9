/* Tests of kmalloc on the real machine; the bookkeeping itself is tested on the host (test/). */
#include <stdint.h>

#include "common/string.h"
#include "common/x86.h"
#include "kmalloc.h"
#include "memory/heap.h"
#include "memory/page.h"
#include "selftest/selftest.h"
#include "timer.h"

enum { MOST_PAGES = 32768 }; /* 128 MB: enough to see it; more takes too long */

static void blocks_keep_their_bytes(void)
{
    enum { BLOCKS = 100 };
    uint8_t *blocks[BLOCKS];
    size_t before = kmalloc_stats().bytes_used;

    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = kmalloc(i * 37);
        expect(blocks[i] != NULL && (uintptr_t)blocks[i] % HEAP_ALIGNMENT == 0);
        memset(blocks[i], (int)i, i * 37);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        expect_equal(kmalloc_check(blocks[i]), HEAP_OK);
        for (size_t j = 0; j < i * 37; j++)
            if (blocks[i][j] != i)
                expect(!"a block changed");
        kfree(blocks[i]);
    }
    expect_equal(kmalloc_stats().bytes_used, before);
}

static void errors_are_seen(void)
{
    char *block = kmalloc(20);
    char saved = block[20];

    expect_equal(kmalloc_check(block + 16), HEAP_INSIDE);
    expect_equal(kmalloc_check(block + 1), HEAP_FOREIGN);
    expect_equal(kmalloc_check(&block), HEAP_FOREIGN);
    block[20] ^= 1; /* one byte too far */
    expect_equal(kmalloc_check(block), HEAP_OVERRUN);
    block[20] = saved;
    expect_equal(kmalloc_check(block), HEAP_OK);
    kfree(block);
    expect_equal(kmalloc_check(block), HEAP_FREE);
}

static void too_much_is_refused(void)
{
    uint64_t failures = kmalloc_stats().failures;

    expect(kmalloc((size_t)1 << 46) == NULL);
    expect(kmalloc((size_t)-1) == NULL);
    expect(kmalloc((size_t)-16) == NULL);
    expect_equal(kmalloc_stats().failures, failures + 3);
}

static void large_blocks_are_whole_pages(void)
{
    enum { SIZE = (1 << 20) + 100 };
    size_t pages = page_stats().free;
    uint8_t *block = kmalloc(SIZE);

    if (!expect(block != NULL && (uintptr_t)block % HEAP_ALIGNMENT == 0))
        return;
    memset(block, 0x5a, SIZE);
    expect_equal(kmalloc_check(block), HEAP_OK);
    expect_equal(kmalloc_check(block + 16), HEAP_INSIDE);
    block[SIZE] ^= 1; /* one byte too far */
    expect_equal(kmalloc_check(block), HEAP_OVERRUN);
    block[SIZE] ^= 1;
    kfree(block);
    expect_equal(kmalloc_check(block), HEAP_FREE);
    expect_equal(page_stats().free, pages);
}

/* Allocates more than all memory, and then so much that only the page tables do not fit. */
static void a_refused_block_takes_nothing(void)
{
    size_t pages = page_stats().free;
    void *block;

    expect(kmalloc((pages + 20) * PAGE_SIZE) == NULL);
    expect_equal(page_stats().free, pages);
    if (pages > MOST_PAGES) /* to map so much takes too long */
        return;
    block = kmalloc((pages - 1) * PAGE_SIZE);
    expect(block == NULL);
    kfree(block);
    expect_equal(page_stats().free, pages);
}

/* Allocates blocks of decreasing size, until memory is out or `pages` are used. Each block contains
 * the address of the one before. */
static void **fill(size_t pages)
{
    void **chain = NULL, **block;

    for (size_t size = 1 << 20; size >= 16; size /= 2)
        for (; pages > 0 && (block = kmalloc(size)) != NULL; chain = block) {
            *block = chain;
            pages -= pages > size / PAGE_SIZE ? size / PAGE_SIZE + 1 : pages;
        }
    return chain;
}

static void freed_pages_go_back(void)
{
    for (int round = 0; round < 2; round++) { /* a page of each size may stay after the first */
        size_t pages = page_stats().free, bytes = kmalloc_stats().bytes_used;
        void **chain = fill(MOST_PAGES);

        expect(chain != NULL && page_stats().free < pages);
        while (chain != NULL) {
            void **before = *chain;

            kfree(chain);
            chain = before;
        }
        expect_equal(kmalloc_stats().bytes_used, bytes);
        expect(page_stats().free + (round == 0 ? HEAP_CLASSES : 0) >= pages);
    }
}

static void a_large_block_lets_interrupts_in(void)
{
    size_t pages = page_stats().free / 2;
    uint64_t ticks = timer_ticks(), start = timer_now();
    void *block = kmalloc((pages < MOST_PAGES ? pages : MOST_PAGES) * PAGE_SIZE);

    kfree(block);
    expect(block != NULL);
    expect(timer_now() - start < 5 * TIMER_NS_PER_MS || timer_ticks() > ticks);
}

/* The minimum of several runs, so that it contains no tick. */
static uint64_t cost(size_t size)
{
    uint64_t best = UINT64_MAX;

    for (int i = 0; i < 20; i++) {
        uint64_t start = x86_rdtsc();

        kfree(kmalloc(size));
        start = x86_rdtsc() - start;
        best = start < best ? start : best;
    }
    return best;
}

/* Frees every second of many blocks: a heap that searches would check each hole. */
static void holes_do_not_slow_it_down(void)
{
    enum { HOLES = 20000 };
    uint64_t before = cost(40), after;
    void **chain = NULL, **holes = NULL, **block;

    for (int i = 0; i < 2 * HOLES && (block = kmalloc(8)) != NULL; i++) {
        void ***list = i % 2 == 0 ? &chain : &holes;

        *block = *list;
        *list = block;
    }
    for (int pass = 0; pass < 2; pass++) {
        void **list = pass == 0 ? holes : chain;

        while (list != NULL) {
            void **next = *list;

            kfree(list);
            list = next;
        }
        if (pass == 0)
            after = cost(40);
    }
    expect(after < 10 * before);
}

const struct selftest selftest_heap[] = {
    {"blocks_keep_their_bytes", blocks_keep_their_bytes},
    {"errors_are_seen", errors_are_seen},
    {"too_much_is_refused", too_much_is_refused},
    {"large_blocks_are_whole_pages", large_blocks_are_whole_pages},
    {"a_refused_block_takes_nothing", a_refused_block_takes_nothing},
    {"freed_pages_go_back", freed_pages_go_back},
    {"a_large_block_lets_interrupts_in", a_large_block_lets_interrupts_in},
    {"holes_do_not_slow_it_down", holes_do_not_slow_it_down},
    {0},
};
