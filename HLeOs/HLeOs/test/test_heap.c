/* Unit tests of hleos/memory/heap.c on memory of the host. */
#include "unit.h"

#include "memory/heap.h"

enum { BLOCKS = 200, ROUNDS = 50000, PAGES = 64 };

static size_t pages_left, pages_out;

static void *page_get(void)
{
    if (pages_left == 0)
        return NULL;
    pages_left--;
    pages_out++;
    return aligned_alloc(HEAP_PAGE, HEAP_PAGE);
}

static void page_put(void *page)
{
    pages_left++;
    pages_out--;
    free(page);
}

static struct heap new_heap(void)
{
    pages_left = PAGES;
    pages_out = 0;
    return (struct heap){.page_get = page_get, .page_put = page_put};
}

/* Checks the pages that the heap keeps: at most one of each size, without a block. */
static void end_heap(struct heap *heap)
{
    assert_int_equal(heap->blocks, 0);
    assert_int_equal(heap->bytes_used, 0);
    assert_int_equal(heap->pages, pages_out);
    assert_true(pages_out <= HEAP_CLASSES);
    for (int i = 0; i < HEAP_CLASSES; i++) {
        struct queue_link *kept = queue_list_pop(&heap->partial[i]);

        assert_true(queue_list_empty(&heap->partial[i]));
        if (kept != NULL)
            page_put((void *)((uintptr_t)kept & ~(uintptr_t)(HEAP_PAGE - 1)));
    }
    assert_int_equal(pages_out, 0);
}

static void test_random_use(void **state)
{
    struct heap heap = new_heap();
    uint8_t *blocks[BLOCKS] = {0};
    size_t sizes[BLOCKS];

    (void)state;
    pages_left = 10000;
    srand(4);
    for (int round = 0; round < ROUNDS; round++) {
        int i = rand() % BLOCKS;

        if (blocks[i] == NULL) {
            sizes[i] = (size_t)rand() % (HEAP_SMALL_MAX + 1);
            blocks[i] = heap_allocate(&heap, sizes[i]);
            assert_non_null(blocks[i]);
            assert_int_equal((uintptr_t)blocks[i] % HEAP_ALIGNMENT, 0);
            memset(blocks[i], i, sizes[i]);
        } else {
            for (size_t k = 0; k < sizes[i]; k++)
                assert_int_equal(blocks[i][k], (uint8_t)i);
            assert_int_equal(heap_free(&heap, blocks[i]), HEAP_OK);
            blocks[i] = NULL;
        }
    }
    for (int i = 0; i < BLOCKS; i++)
        if (blocks[i] != NULL)
            assert_int_equal(heap_free(&heap, blocks[i]), HEAP_OK);
    end_heap(&heap);
}

/* For each size: a write one byte too far is detected, and the block is not freed. */
static void test_every_overrun_is_seen(void **state)
{
    struct heap heap = new_heap();

    (void)state;
    for (size_t size = 0; size <= HEAP_SMALL_MAX; size++) {
        uint8_t *block = heap_allocate(&heap, size);

        block[size] ^= 0x10;
        assert_int_equal(heap_free(&heap, block), HEAP_OVERRUN);
        block[size] ^= 0x10;
        assert_int_equal(heap_free(&heap, block), HEAP_OK);
        assert_int_equal(heap_free(&heap, block), HEAP_FREE);
    }
    end_heap(&heap);
}

static void test_wrong_pointers(void **state)
{
    struct heap heap = new_heap();
    uint8_t *block = heap_allocate(&heap, 100);
    uint8_t *page = aligned_alloc(HEAP_PAGE, HEAP_PAGE);

    (void)state;
    memset(page, 0, HEAP_PAGE);
    assert_int_equal(heap_free(&heap, block + 1), HEAP_FOREIGN);
    assert_int_equal(heap_free(&heap, block + 16), HEAP_INSIDE);
    assert_int_equal(heap_free(&heap, block - 16), HEAP_FOREIGN); /* the page's header */
    assert_int_equal(heap_free(&heap, page + 64), HEAP_FOREIGN);
    assert_int_equal(heap_check(block), HEAP_OK);
    assert_int_equal(heap_free(&heap, block), HEAP_OK);
    free(page);
    end_heap(&heap);
}

static void test_running_out_and_coming_back(void **state)
{
    struct heap heap = new_heap();
    void **chain = NULL, **block;

    (void)state;
    while ((block = heap_allocate(&heap, 24)) != NULL) {
        *block = chain;
        chain = block;
    }
    assert_int_equal(heap.blocks, PAGES * 126);
    assert_null(heap_allocate(&heap, 2000));
    while (chain != NULL) {
        block = *chain;
        assert_int_equal(heap_free(&heap, chain), HEAP_OK);
        chain = block;
    }
    assert_int_equal(pages_out, 1); /* the page that the heap keeps */
    end_heap(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_use),
        cmocka_unit_test(test_every_overrun_is_seen),
        cmocka_unit_test(test_wrong_pointers),
        cmocka_unit_test(test_running_out_and_coming_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
