/* Tests of kmalloc on the real machine; the bookkeeping itself is tested on the host (test/). */
#include <stdint.h>

#include "common/string.h"
#include "heap.h"
#include "kmalloc.h"
#include "selftest/selftest.h"

static void blocks_keep_their_bytes(void)
{
    enum { BLOCKS = 100 };
    uint8_t *blocks[BLOCKS];
    size_t before = kmalloc_stats().bytes_used;

    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = kmalloc(i * 37);
        expect(blocks[i] != NULL && (uintptr_t)blocks[i] % HEAP_GRANULE == 0);
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

static void grows_from_pages(void)
{
    enum { MEGABYTE = 1 << 20 };
    uint8_t *block = kmalloc(MEGABYTE);

    expect(block != NULL);
    if (block == NULL)
        return;
    memset(block, 0x5a, MEGABYTE);
    expect_equal(kmalloc_check(block), HEAP_OK);
    expect(kmalloc_stats().bytes_mapped >= MEGABYTE);
    kfree(block);
}

const struct selftest selftest_heap[] = {
    {"blocks_keep_their_bytes", blocks_keep_their_bytes},
    {"errors_are_seen", errors_are_seen},
    {"too_much_is_refused", too_much_is_refused},
    {"grows_from_pages", grows_from_pages},
    {0},
};
