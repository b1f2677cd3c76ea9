/* Unit tests of hleos/heap.c on memory of the host. */
#include "unit.h"

#include "heap.h"

enum { GRANULES = 65536, BLOCKS = 200, ROUNDS = 50000 };

static bool refuse;

static int grow(struct heap *heap, size_t granules)
{
    (void)heap;
    return refuse || granules > GRANULES ? -1 : 0;
}

static struct heap new_heap(void)
{
    refuse = false;
    return (struct heap){
        .base = aligned_alloc(16, GRANULES * HEAP_GRANULE),
        .used = {.words = calloc(GRANULES / 64, 8), .full = calloc(GRANULES / 64 / 64, 8)},
        .last = {.words = calloc(GRANULES / 64, 8)},
        .granules_max = GRANULES,
        .grow = grow};
}

static void free_heap(struct heap *heap)
{
    free(heap->base);
    free(heap->used.words);
    free(heap->used.full);
    free(heap->last.words);
}

static void test_random_use(void **state)
{
    struct heap heap = new_heap();
    uint8_t *blocks[BLOCKS] = {0};
    size_t sizes[BLOCKS];

    (void)state;
    srand(4);
    for (int round = 0; round < ROUNDS; round++) {
        int i = rand() % BLOCKS;

        if (blocks[i] == NULL) {
            sizes[i] = (size_t)rand() % 3000;
            blocks[i] = heap_allocate(&heap, sizes[i]);
            assert_non_null(blocks[i]);
            assert_int_equal((uintptr_t)blocks[i] % HEAP_GRANULE, 0);
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
    assert_int_equal(heap.granules_used, 0);
    assert_int_equal(heap.blocks, 0);
    assert_int_equal(bit_map_count_set(&heap.used), 0);
    assert_int_equal(bit_map_count_set(&heap.last), 0);
    free_heap(&heap);
}

/* Every size, one byte too far: seen, and the block stays as it was. */
static void test_every_overrun_is_seen(void **state)
{
    struct heap heap = new_heap();

    (void)state;
    for (size_t size = 0; size < 100; size++) {
        uint8_t *block = heap_allocate(&heap, size);

        block[size] ^= 0x10;
        assert_int_equal(heap_free(&heap, block), HEAP_OVERRUN);
        block[size] ^= 0x10;
        assert_int_equal(heap_free(&heap, block), HEAP_OK);
        assert_int_equal(heap_free(&heap, block), HEAP_FREE);
    }
    free_heap(&heap);
}

static void test_wrong_pointers(void **state)
{
    struct heap heap = new_heap();
    uint8_t *block = heap_allocate(&heap, 100);

    (void)state;
    assert_int_equal(heap_free(&heap, block + 1), HEAP_FOREIGN);
    assert_int_equal(heap_free(&heap, block + 16), HEAP_INSIDE);
    assert_int_equal(heap_free(&heap, &heap), HEAP_FOREIGN);
    assert_int_equal(heap_free(&heap, heap.base + GRANULES * HEAP_GRANULE), HEAP_FOREIGN);
    assert_int_equal(heap_check(&heap, block), HEAP_OK);
    free_heap(&heap);
}

static void test_running_out(void **state)
{
    struct heap heap = new_heap();
    size_t count = 0;

    (void)state;
    assert_null(heap_allocate(&heap, (size_t)-1));
    assert_null(heap_allocate(&heap, GRANULES * HEAP_GRANULE));
    while (heap_allocate(&heap, 8) != NULL)
        count++;
    assert_int_equal(count, GRANULES);
    assert_int_equal(heap_free(&heap, heap.base + 160), HEAP_OK);
    assert_ptr_equal(heap_allocate(&heap, 8), heap.base + 160);
    assert_int_equal(heap.granules_peak, GRANULES);
    free_heap(&heap);
    heap = new_heap();
    refuse = true;
    assert_null(heap_allocate(&heap, 8));
    assert_int_equal(heap.used.bits, 0);
    refuse = false;
    assert_non_null(heap_allocate(&heap, 8));
    free_heap(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_use),
        cmocka_unit_test(test_every_overrun_is_seen),
        cmocka_unit_test(test_wrong_pointers),
        cmocka_unit_test(test_running_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
