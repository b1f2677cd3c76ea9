/* G-stage tables on an array: every mapping is found again, every page is given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

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
    void *big = page_alloc(ORDER_2M), *small = page_alloc(ORDER_4K);

    (void)state;
    assert_int_equal(all, ARENA / PAGE_4K);
    assert_int_equal(gstage_init(&gs, 3), GSTAGE_OK);
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
    assert_true(gstage_protect(&gs, 0x80234000, PERM_R));
    assert_true(gstage_lookup(&gs, 0x80234000, &leaf) && leaf.perm == PERM_R);
    assert_true(gstage_lookup(&gs, 0x80235000, &leaf) && leaf.perm == PERM_RWX);
    gstage_destroy(&gs);
    assert_int_equal(page_free_count(), all);
}

static void four_levels_reach_further(void **state)
{
    struct gstage gs;
    struct gstage_leaf leaf;

    (void)state;
    assert_int_equal(gstage_init(&gs, 4), GSTAGE_OK);
    assert_int_equal(gstage_map(&gs, 3ul << 48, (hpa_t)page_alloc(ORDER_4K), GSTAGE_4K, PERM_RWX),
                     GSTAGE_OK);
    assert_true(gstage_lookup(&gs, 3ul << 48, &leaf));
    assert_false(gstage_lookup(&gs, 2ul << 48, &leaf));
    gstage_destroy(&gs);
    assert_int_equal(page_free_count(), all);
}

static void reservations_hold(void **state)
{
    (void)state;
    assert_true(page_reserve(all - 1));
    assert_false(page_reserve(2));
    page_unreserve(all - 1);
    assert_true(page_reserve(all));
    page_unreserve(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(maps_and_finds, start, stop),
        cmocka_unit_test_setup_teardown(four_levels_reach_further, start, stop),
        cmocka_unit_test_setup_teardown(reservations_hold, start, stop)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
