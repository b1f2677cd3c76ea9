/* Unit tests of memory.c: a range is RAM as a whole or not at all; the log of what is written. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cmocka_all.h"

static void test_bounds(void **state)
{
    static uint8_t ram[0x3000];
    struct memory m;

    (void)state;
    memory_init(&m, 0x40000, sizeof ram, ram);
    assert_ptr_equal(memory_at(&m, 0x40000, sizeof ram), ram);
    assert_ptr_equal(memory_at(&m, 0x42fff, 1), ram + 0x2fff);
    assert_null(memory_at(&m, 0x3ffff, 1));
    assert_null(memory_at(&m, 0x3ffff, 2));
    assert_null(memory_at(&m, 0x43000, 1));
    assert_null(memory_at(&m, 0x43000, 0));
    assert_null(memory_at(&m, 0x42fff, 2));
    assert_null(memory_at(&m, 0x42fff, UINT64_MAX));
    assert_null(memory_at(&m, UINT64_MAX, 2));
    assert_int_equal(memory_end(&m), 0x43000);
}

static void test_copies_are_whole_or_nothing(void **state)
{
    uint8_t ram[16] = {0}, bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8}, back[8] = {0};
    struct memory m;

    (void)state;
    memory_init(&m, 0, sizeof ram, ram);
    assert_true(memory_write(&m, 8, bytes, 8));
    assert_true(memory_read(&m, 8, back, 8));
    assert_memory_equal(bytes, back, 8);
    assert_false(memory_write(&m, 9, bytes, 8));
    assert_int_equal(ram[9], 2);
    memset(back, 0, sizeof back);
    assert_false(memory_read(&m, 12, back, 8));
    assert_int_equal(back[0], 0);
}

/* The host address is never followed here, so a small array stands for gigabytes. */
static void test_hole(void **state)
{
    static uint8_t ram[1];
    struct memory m;

    (void)state;
    memory_init(&m, 0, 5 * GIB, ram);
    assert_int_equal(m.count, 2);
    assert_int_equal(memory_low_end(&m), MEMORY_HOLE_START);
    assert_int_equal(m.slots[1].base, MEMORY_HOLE_END);
    assert_int_equal(memory_end(&m), MEMORY_HOLE_END + 5 * GIB - MEMORY_HOLE_START);
    assert_null(memory_at(&m, MEMORY_HOLE_START, 1));
    assert_null(memory_at(&m, MEMORY_HOLE_START - 1, 2));
    assert_null(memory_at(&m, MEMORY_HOLE_END - 1, 1));
    assert_ptr_equal(memory_at(&m, MEMORY_HOLE_END, 1), ram + MEMORY_HOLE_START);
    memory_init(&m, 0, MEMORY_HOLE_START, ram);
    assert_int_equal(m.count, 1);
}

/* Two slots side by side, the second read-only, and one apart from them. */
static void lay_three(struct memory *m, uint8_t ram[3][0x2000])
{
    *m = (struct memory){
        .count = 3,
        .slots = {{.base = 0x1000, .size = 0x2000, .host = ram[0], .fd = -1},
                  {.base = 0x3000, .size = 0x2000, .host = ram[1], .fd = -1, .read_only = true},
                  {.base = 0x9000, .size = 0x2000, .host = ram[2], .fd = -1}}};
}

static void test_iovecs(void **state)
{
    static uint8_t ram[3][0x2000];
    struct iovec e[2];
    struct memory m;

    (void)state;
    lay_three(&m, ram);
    assert_int_equal(memory_iovec(&m, 0x2ff0, 0x20, false, e, 2), 2);
    assert_ptr_equal(e[0].iov_base, ram[0] + 0x1ff0);
    assert_int_equal(e[0].iov_len, 0x10);
    assert_ptr_equal(e[1].iov_base, ram[1]);
    assert_int_equal(e[1].iov_len, 0x10);
    assert_int_equal(memory_iovec(&m, 0x2ff0, 0x20, false, e, 1), -1); /* no room */
    assert_int_equal(memory_iovec(&m, 0x2ff0, 0x20, true, e, 2), -1);  /* read-only */
    assert_int_equal(memory_iovec(&m, 0x2ff0, 0x10, true, e, 2), 1);
    assert_int_equal(memory_iovec(&m, 0x4ff0, 0x11, false, e, 2), -1); /* beyond RAM */
    assert_int_equal(memory_iovec(&m, 0xfff, 2, false, e, 2), -1);
    assert_int_equal(memory_iovec(&m, 0x2000, UINT64_MAX, false, e, 2), -1);
    assert_int_equal(memory_iovec(&m, UINT64_MAX, 2, false, e, 2), -1);
    assert_int_equal(memory_iovec(&m, 0x1000, 0, false, e, 2), 0);
    assert_true(memory_holds(&m, 0x1000, 0x4000));
    assert_false(memory_holds(&m, 0x1000, 0x4001));
    assert_false(memory_holds(&m, 0x5000, 0));
    assert_null(memory_at(&m, 0x2ff0, 0x20)); /* one slot only */
    assert_ptr_equal(memory_slot_at(&m, 0xafff), &m.slots[2]);
    assert_null(memory_slot_at(&m, 0xb000));
}

static void test_copies_go_on_in_the_slot_behind(void **state)
{
    static uint8_t ram[3][0x2000];
    uint8_t bytes[4] = {0};
    struct memory m;

    (void)state;
    lay_three(&m, ram);
    memcpy(ram[0] + 0x1ffe, "ab", 2);
    memcpy(ram[1], "cd", 2);
    assert_true(memory_read(&m, 0x2ffe, bytes, 4));
    assert_memory_equal(bytes, "abcd", 4);
    assert_false(memory_write(&m, 0x2ffe, "wxyz", 4)); /* half is read-only: no write */
    assert_memory_equal(ram[0] + 0x1ffe, "ab", 2);
    m.slots[1].read_only = false;
    assert_true(memory_write(&m, 0x2ffe, "wxyz", 4));
    assert_memory_equal(ram[0] + 0x1ffe, "wx", 2);
    assert_memory_equal(ram[1], "yz", 2);
}

static void expect_runs(const struct memory_slot *slot, const uint64_t *log,
                        const struct memory_run *expected, unsigned count)
{
    struct memory_run run;
    uint64_t page = 0;

    for (unsigned i = 0; i < count; i++) {
        assert_true(memory_next_run(slot, log, &page, &run));
        assert_int_equal(run.gpa, expected[i].gpa);
        assert_int_equal(run.size, expected[i].size);
    }
    assert_false(memory_next_run(slot, log, &page, &run));
}

static void test_runs_of_a_log(void **state)
{
    const struct memory_slot slot = {.base = 0x10000, .size = 200 * PAGE_SIZE};
    uint64_t log[4] = {0};

    (void)state;
    assert_int_equal(memory_log_words(&slot), 4);
    assert_int_equal(memory_log_words(&(struct memory_slot){.size = 64 * PAGE_SIZE}), 1);
    expect_runs(&slot, log, NULL, 0);
    log[0] = UINT64_C(1) << 63 | 2;
    log[1] = UINT64_MAX;
    log[2] = 1;
    log[3] = UINT64_MAX; /* beyond the slot's last page: not a run */
    expect_runs(&slot, log,
                (struct memory_run[]){{0x11000, PAGE_SIZE},
                                      {0x10000 + 63 * PAGE_SIZE, 66 * PAGE_SIZE},
                                      {0x10000 + 192 * PAGE_SIZE, 8 * PAGE_SIZE}},
                3);
}

/* The log has each page that is written, once, for each way of writing. */
static void test_log(void **state)
{
    static uint8_t ram[3][0x2000];
    uint64_t log = 0;
    struct iovec e;
    struct memory m;

    (void)state;
    lay_three(&m, ram);
    m.slots[1].read_only = false;
    assert_true(memory_write(&m, 0x1000, "a", 1)); /* not logged yet */
    assert_int_equal(memory_set_logged(&m.slots[0], true), 0);
    assert_int_equal(memory_set_logged(&m.slots[2], true), 0);
    memory_take_written(&m.slots[0], &log);
    assert_int_equal(log, 0);
    assert_true(memory_write(&m, 0x2fff, "ab", 2)); /* the second byte: a slot without a log */
    memory_take_written(&m.slots[0], &log);
    assert_int_equal(log, 2);
    memory_take_written(&m.slots[1], &log);
    assert_int_equal(log, 2); /* only adds to the log; nothing is new */
    log = 0;
    memory_take_written(&m.slots[0], &log);
    assert_int_equal(log, 0); /* taken once */
    assert_int_equal(memory_iovec(&m, 0x9ff0, 0x20, true, &e, 1), 1);
    memory_log_write(&m, 0x9ff0, 0x20);
    memory_take_written(&m.slots[2], &log);
    assert_int_equal(log, 3);
    assert_false(memory_write(&m, 0xafff, "ab", 2)); /* beyond RAM: not written, not in the log */
    log = 0;
    memory_take_written(&m.slots[2], &log);
    assert_int_equal(log, 0);
    assert_true(memory_write(&m, 0x9000, "a", 1));
    assert_int_equal(memory_set_logged(&m.slots[2], false), 0);
    assert_int_equal(memory_set_logged(&m.slots[2], true), 0);
    memory_take_written(&m.slots[2], &log);
    assert_int_equal(log, 0); /* a log that is started again is empty */
    free(m.slots[0].written);
    free(m.slots[2].written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_copies_are_whole_or_nothing),
        cmocka_unit_test(test_hole),
        cmocka_unit_test(test_iovecs),
        cmocka_unit_test(test_copies_go_on_in_the_slot_behind),
        cmocka_unit_test(test_runs_of_a_log),
        cmocka_unit_test(test_log),
    };

    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
