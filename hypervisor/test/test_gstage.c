/* Unit tests of G-stage tables, in an array of pages: each mapping is found, and each page is
 * freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mem/gstage.h"
#include "mem/page.h"

enum { ARENA = 64 * 1024 * 1024 };
static uint8_t *arena, *table;
static uint64_t all;

static int start(void **state)
{
    hpa_t low;

    (void)state;
    arena = aligned_alloc(1 << 21, ARENA);
    low = ALIGN_DOWN((hpa_t)arena, PAGE_1G);
    table = malloc(page_table_size(low, (hpa_t)arena + ARENA));
    page_init(low, (hpa_t)arena + ARENA, table);
    page_give_range((hpa_t)arena, (hpa_t)arena + ARENA);
    all = page_free_count();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    free(arena);
    free(table);
    return 0;
}

static void maps_and_finds(void **state)
{
    struct gstage gs;
    struct gstage_leaf leaf;
    unsigned rounds = 0;
    void *big = page_alloc(NULL, ORDER_2M), *small = page_alloc(NULL, ORDER_4K);

    (void)state;
    assert_int_equal(all, ARENA / PAGE_4K);
    assert_int_equal(gstage_init(&gs, 3, NULL), GSTAGE_OK);
    assert_int_equal((hpa_t)gs.root % (16 * KIB), 0);
    assert_int_equal(gstage_map(&gs, 0x80200000, (hpa_t)big, GSTAGE_2M, PERM_RWX), GSTAGE_OK);
    assert_int_equal(gstage_map(&gs, 0x80201000, (hpa_t)small, GSTAGE_4K, PERM_R), GSTAGE_OCCUPIED);
    assert_int_equal(gstage_map(&gs, 0x80400000, (hpa_t)small, GSTAGE_4K, PERM_R | PERM_X),
                     GSTAGE_OK);
    assert_int_equal(gstage_map(&gs, 1ul << 41, (hpa_t)small, GSTAGE_4K, PERM_R),
                     GSTAGE_BAD_ADDRESS);
    assert_int_equal(gstage_map(&gs, 0x80401800, (hpa_t)small, GSTAGE_4K, PERM_R),
                     GSTAGE_BAD_ADDRESS);
    assert_true(gstage_lookup(&gs, 0x80234567, &leaf));
    assert_true(leaf.hpa == (hpa_t)big && leaf.gpa == 0x80200000 && leaf.level == GSTAGE_2M);
    assert_true(gstage_lookup(&gs, 0x80400fff, &leaf));
    assert_true(leaf.hpa == (hpa_t)small && leaf.perm == (PERM_R | PERM_X));
    assert_false(gstage_lookup(&gs, 0x80401000, &leaf));
    assert_int_equal(gstage_split(&gs, 0x80200000), GSTAGE_OK);
    assert_true(gstage_lookup(&gs, 0x80234567, &leaf));
    assert_true(leaf.hpa == (hpa_t)big + 0x34000 && leaf.level == GSTAGE_4K);
    assert_true(gstage_next(&gs, 0, 1ul << 32, &leaf) && leaf.gpa == 0x80200000);
    assert_true(gstage_next(&gs, 0x803fffff, 1ul << 32, &leaf) && leaf.gpa == 0x803ff000);
    assert_false(gstage_next(&gs, 0x80401000, 1ul << 32, &leaf));
    while (!gstage_shrink(&gs, 100))
        rounds++;
    assert_true(rounds >= 5); /* 512 pages and their tables, 100 at a time */
    assert_int_equal(page_free_count(), all);
}

/* Two stages own a block. One of them replaces a page by its own; the other does not change. */
static void shared_blocks_come_back(void **state)
{
    const gpa_t at = 0x80200000;
    struct gstage gs, other;
    struct gstage_leaf leaf;
    void *big = page_alloc(NULL, ORDER_2M), *copy = page_alloc(NULL, ORDER_4K);

    (void)state;
    assert_int_equal(gstage_init(&gs, 3, NULL), GSTAGE_OK);
    assert_int_equal(gstage_init(&other, 3, NULL), GSTAGE_OK);
    assert_int_equal(gstage_map(&gs, at, (hpa_t)big, GSTAGE_2M, PERM_RWX), GSTAGE_OK);
    assert_true(gstage_lookup(&gs, at, &leaf) && !leaf.shared);
    assert_int_equal(gstage_share(&gs, &other, &leaf), GSTAGE_OK);
    assert_true(gstage_lookup(&gs, at, &leaf) && leaf.shared && leaf.perm == (PERM_R | PERM_X));
    assert_true(gstage_lookup(&other, at, &leaf) && leaf.shared && leaf.hpa == (hpa_t)big);
    assert_int_equal(page_shared_count(big, ORDER_2M), 512);
    assert_int_equal(gstage_split(&other, at), GSTAGE_OK);
    gstage_unshare(&other, at + PAGE_4K, (hpa_t)copy, PERM_RWX);
    page_drop(NULL, (uint8_t *)big + PAGE_4K, ORDER_4K);
    assert_int_equal(page_shared_count(big, ORDER_2M), 511);
    assert_true(gstage_lookup(&other, at + PAGE_4K, &leaf) && !leaf.shared &&
                leaf.hpa == (hpa_t)copy && leaf.perm == PERM_RWX);
    while (!gstage_shrink(&other, 100))
        ;
    assert_int_equal(page_shared_count(big, ORDER_2M), 0);
    gstage_unshare(&gs, at, (hpa_t)big, PERM_RWX);
    assert_true(gstage_shrink(&gs, 100));
    assert_int_equal(page_free_count(), all);
}

/* The reservation for tables is large enough if each page is mapped separately and RAM begins at
 * the worst address: 30 GiB, one page in each 2 MiB. */
static void tables_are_no_more_than_said(void **state)
{
    const uint64_t size = 30 * GIB;
    const gpa_t base = 0x100000000 - PAGE_4K;
    struct gstage gs;

    (void)state;
    assert_int_equal(gstage_init(&gs, 3, NULL), GSTAGE_OK);
    for (gpa_t at = base; at < base + size; at = ALIGN_DOWN(at, PAGE_2M) + PAGE_2M)
        assert_int_equal(gstage_map(&gs, at, (hpa_t)arena, GSTAGE_4K, PERM_RWX), GSTAGE_OK);
    assert_true(gs.tables > size / PAGE_2M);
    assert_true(gs.tables <= gstage_tables_most(size));
    assert_true(gstage_tables_most(size) < gs.tables + 6);
}

/* Pages of device registers beside RAM: they are not the allocator's and must not be freed. */
static void device_pages_stay(void **state)
{
    static uint8_t registers[2 * PAGE_4K] __attribute__((aligned(PAGE_4K)));
    const gpa_t at = 0x28000000;
    struct gstage gs;
    struct gstage_leaf leaf;

    (void)state;
    memset(registers, 0x5a, sizeof registers);
    assert_int_equal(gstage_init(&gs, 3, NULL), GSTAGE_OK);
    assert_int_equal(gstage_map_device(&gs, at, (hpa_t)registers), GSTAGE_OK);
    assert_int_equal(gstage_map_device(&gs, at + PAGE_4K, (hpa_t)registers + PAGE_4K), GSTAGE_OK);
    assert_int_equal(gstage_map_device(&gs, at, (hpa_t)registers), GSTAGE_OCCUPIED);
    assert_int_equal(gstage_map_device(&gs, at + 0x2800, (hpa_t)registers), GSTAGE_BAD_ADDRESS);
    assert_int_equal(
        gstage_map(&gs, 0x80000000, (hpa_t)page_alloc(NULL, ORDER_4K), GSTAGE_4K, PERM_RWX),
        GSTAGE_OK);
    assert_int_equal(gs.leaves[GSTAGE_4K], 1);
    assert_true(gstage_lookup(&gs, at + PAGE_4K, &leaf));
    assert_true(leaf.hpa == (hpa_t)registers + PAGE_4K && leaf.level == GSTAGE_4K &&
                leaf.perm == (PERM_R | PERM_W) && !leaf.shared);
    assert_false(gstage_lookup(&gs, at + 2 * PAGE_4K, &leaf));
    while (!gstage_shrink(&gs, 1))
        ;
    assert_int_equal(gs.leaves[GSTAGE_4K], 0);
    assert_int_equal(page_free_count(), all);
    for (size_t i = 0; i < sizeof registers; i++)
        assert_int_equal(registers[i], 0x5a);
}

static void four_levels_reach_further(void **state)
{
    struct gstage gs;
    struct gstage_leaf leaf;

    (void)state;
    assert_int_equal(gstage_init(&gs, 4, NULL), GSTAGE_OK);
    assert_int_equal(
        gstage_map(&gs, 3ul << 48, (hpa_t)page_alloc(NULL, ORDER_4K), GSTAGE_4K, PERM_RWX),
        GSTAGE_OK);
    assert_true(gstage_lookup(&gs, 3ul << 48, &leaf));
    assert_false(gstage_lookup(&gs, 2ul << 48, &leaf));
    assert_true(gstage_shrink(&gs, 100));
    assert_int_equal(page_free_count(), all);
}

/* Others cannot allocate reserved pages. A reservation shrinks with each allocation and grows when
 * pages are freed. */
static void reservations_hold(void **state)
{
    struct page_account one = {0}, other = {0};
    void *block;

    (void)state;
    assert_true(page_reserve(&one, all - 10));
    assert_false(page_reserve(&other, 11));
    block = page_alloc(&one, ORDER_2M);
    assert_non_null(block);
    assert_int_equal(one.reserved, all - 10 - 512);
    assert_int_equal(page_unreserved_count(), 10);
    assert_true(page_reserve(&other, 10)); /* allocated pages are not reserved twice */
    assert_null(page_alloc(NULL, ORDER_4K));
    page_free(&one, block, ORDER_2M);
    assert_int_equal(one.reserved, all - 10);
    page_unreserve(&other);
    block = page_alloc(NULL, ORDER_4K);
    assert_non_null(block);
    page_free(NULL, block, ORDER_4K);
    page_unreserve(&one);
    assert_int_equal(page_unreserved_count(), all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(maps_and_finds, start, stop),
        cmocka_unit_test_setup_teardown(shared_blocks_come_back, start, stop),
        cmocka_unit_test_setup_teardown(tables_are_no_more_than_said, start, stop),
        cmocka_unit_test_setup_teardown(device_pages_stay, start, stop),
        cmocka_unit_test_setup_teardown(four_levels_reach_further, start, stop),
        cmocka_unit_test_setup_teardown(reservations_hold, start, stop)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
