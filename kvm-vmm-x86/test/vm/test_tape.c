/* Unit tests of tapes (vm/tape.c) and of their files (watch/travel/tape_file.c). */
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "dev/backend.h"
#include "watch/travel/tape_file.h"

enum { LIMIT = 1 << 16 };

static const struct exit_record port_out = {.rip = 0x7c12,
                                            .address = 0x500,
                                            .value = 0x41,
                                            .count = 1,
                                            .reason = 2,
                                            .space = EXIT_PORT,
                                            .size = 1,
                                            .write = true};

static uint64_t taken(const struct tape *t, struct tape_place *place, uint64_t exits,
                      enum tape_kind kind)
{
    uint64_t value;

    assert_int_equal(tape_take(t, place, exits, kind, &value), TAPE_FOUND);
    return value;
}

static void test_values(void **state)
{
    struct tape t = {.limit = LIMIT};
    struct tape_place p = {0};
    uint64_t value;

    (void)state;
    tape_put(&t, 3, 0, TAPE_INPUT, 'a');
    tape_put(&t, 3, 0, TAPE_WALL, UINT64_C(1795960000000000000));
    tape_put(&t, 7, 0, TAPE_INPUT, (uint64_t)INPUT_END);
    tape_put(&t, 7, 0, TAPE_WALL, 5);
    tape_reach(&t, 9);
    assert_int_equal(tape_take(&t, &p, 2, TAPE_INPUT, &value), TAPE_OTHER); /* too early */
    assert_int_equal(taken(&t, &p, 3, TAPE_INPUT), 'a');
    assert_int_equal(tape_take(&t, &p, 3, TAPE_INPUT, &value), TAPE_OTHER); /* the other kind */
    assert_int_equal(taken(&t, &p, 3, TAPE_WALL), UINT64_C(1795960000000000000));
    assert_int_equal(taken(&t, &p, 7, TAPE_INPUT), INPUT_END);
    assert_int_equal(tape_take(&t, &p, 8, TAPE_WALL, &value), TAPE_OTHER); /* it was missed */
    assert_int_equal(taken(&t, &p, 7, TAPE_WALL), 5);
    assert_int_equal(tape_take(&t, &p, 8, TAPE_INPUT, &value), TAPE_OTHER);
    assert_int_equal(tape_take(&t, &p, 9, TAPE_INPUT, &value), TAPE_OVER);
    assert_int_equal(tape_take(&t, &p, 12, TAPE_INPUT, &value), TAPE_OVER);
    tape_release(&t);
}

/* How often a guest polls while it waits for input depends on the host's speed. */
static void test_waiting(void **state)
{
    struct tape t = {.limit = LIMIT};
    struct tape_place p = {0};
    size_t once;

    (void)state;
    tape_put(&t, 1, 0, TAPE_INPUT, (uint64_t)INPUT_NONE);
    once = t.used;
    tape_put(&t, 1, 0, TAPE_INPUT, (uint64_t)INPUT_NONE);
    assert_int_equal(t.used, once);
    tape_put(&t, 1, 0, TAPE_INPUT, 'x');
    tape_put(&t, 1, 1, TAPE_INPUT, (uint64_t)INPUT_NONE); /* for the next item: it is kept */
    tape_put(&t, 2, 0, TAPE_INPUT, 'y');
    assert_int_equal(taken(&t, &p, 1, TAPE_INPUT), 'x');
    assert_int_equal(taken(&t, &p, 1, TAPE_INPUT), INPUT_NONE);
    assert_int_equal(taken(&t, &p, 2, TAPE_INPUT), 'y');
    tape_release(&t);
}

static void test_exits(void **state)
{
    struct tape t = {.limit = LIMIT};
    struct tape_place p = {0}, middle;
    struct exit_record e = port_out, found;
    struct tape_end end;
    size_t before;

    (void)state;
    tape_put_exit(&t, 0, &e);
    before = t.used;
    e.value = 0x42;
    tape_put_exit(&t, 1, &e);
    assert_true(t.used - before <= 3); /* as in most loops, little changes */
    tape_put(&t, 2, 0, TAPE_INPUT, 'q');
    e.write = false;
    e.count = 300;
    tape_put_exit(&t, 2, &e);
    tape_put_end(&t, 3, END_CRASH, 9, "why");
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(tape_take_exit(&t, &p, i, &found), TAPE_FOUND);
        assert_int_equal(found.value, 0x41 + i);
    }
    middle = p;
    assert_int_equal(tape_take_exit(&t, &p, 2, &found), TAPE_OTHER);
    assert_int_equal(taken(&t, &p, 2, TAPE_INPUT), 'q');
    assert_int_equal(tape_take_exit(&t, &p, 2, &found), TAPE_FOUND);
    assert_memory_equal(&found, &e, sizeof e);
    assert_int_equal(tape_take_exit(&t, &p, 3, &found), TAPE_OVER);
    assert_int_equal(tape_next(&t, &p, 3), TAPE_END);
    assert_int_equal(tape_take_end(&t, &p, 3, &end), TAPE_FOUND);
    assert_int_equal(end.kind, END_CRASH);
    assert_int_equal(end.code, 9);
    assert_string_equal(end.message, "why");
    tape_cut(&t, &middle);
    assert_int_equal(t.end.exits, 2);
    assert_int_equal(tape_take_exit(&t, &middle, 2, &found), TAPE_OVER);
    tape_release(&t);
}

static void test_limit(void **state)
{
    struct tape t = {.limit = 4096};
    struct tape_place p = {0};
    uint64_t exits = 0;

    (void)state;
    for (; !t.full; exits++)
        tape_put(&t, exits, 0, TAPE_NOW, exits << 40);
    assert_true(t.used <= 4096);
    tape_put(&t, exits, 0, TAPE_NOW, 1);
    tape_put_end(&t, exits, END_EXIT, 0, "");
    for (uint64_t i = 0; tape_next(&t, &p, i) == TAPE_NOW; i++)
        assert_int_equal(taken(&t, &p, i, TAPE_NOW), i << 40);
    assert_int_equal(p.at, t.used);
    tape_release(&t);
}

/* A file with any byte changed is refused. */
static void test_file(void **state)
{
    struct tape t = {.limit = LIMIT}, again;
    struct tape_header header = {.mode = 1}, read;
    uint8_t *bytes = malloc(sizeof header + LIMIT);
    struct error error;
    size_t size;

    (void)state;
    assert_non_null(bytes);
    tape_put_exit(&t, 0, &port_out);
    tape_put(&t, 1, 0, TAPE_INPUT, 'z');
    tape_put_end(&t, 1, END_EXIT, 0, "");
    tape_file_seal(&header, &t);
    size = sizeof header + t.used;
    memcpy(bytes, &header, sizeof header);
    memcpy(bytes + sizeof header, t.bytes, t.used);
    assert_int_equal(tape_file_read(bytes, size, &read, &again, &error), 0);
    assert_memory_equal(again.bytes, t.bytes, t.used);
    assert_int_equal(again.end.exits, 1);
    tape_release(&again);
    for (size_t i = 0; i < size; i++) {
        if (i >= offsetof(struct tape_header, mode) && i < offsetof(struct tape_header, length))
            continue; /* compared with the guest */
        bytes[i] ^= 0x20;
        assert_int_equal(tape_file_read(bytes, size, &read, &again, &error), -1);
        bytes[i] ^= 0x20;
    }
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(tape_file_read(bytes, cut, &read, &again, &error), -1);
    free(bytes);
    tape_release(&t);
}

/* Values that the VMM never writes, with a correct checksum. */
static void test_ranges(void **state)
{
    static const struct {
        enum tape_kind kind;
        uint64_t value;
        bool good;
    } cases[] = {{TAPE_INPUT, 255, true},
                 {TAPE_TICK, 1, true},
                 {TAPE_TICK, 15, true},
                 {TAPE_TICK, 8, false}, /* at a HLT, but without a tick */
                 {TAPE_TICK, 16, false},
                 {TAPE_INPUT, (uint64_t)INPUT_NONE, true},
                 {TAPE_INPUT, (uint64_t)INPUT_END, true},
                 {TAPE_INPUT, 256, false},
                 {TAPE_INPUT, (uint64_t)-3, false},
                 {TAPE_PENDING, INT32_MAX, true},
                 {TAPE_PENDING, (uint64_t)INPUT_END, true},
                 {TAPE_PENDING, UINT64_C(1) << 31, false},
                 {TAPE_PENDING, (uint64_t)INPUT_NONE, false},
                 {TAPE_NOW, UINT64_MAX, true}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tape t = {.limit = LIMIT};

        tape_put(&t, 1, 0, cases[i].kind, cases[i].value);
        assert_int_equal(tape_check(&t), cases[i].good);
        tape_release(&t);
    }
    for (int kind = END_NONE; kind <= END_SIBLING + 1; kind++) {
        struct tape t = {.limit = LIMIT};

        tape_put_end(&t, 1, kind, 0, "");
        assert_int_equal(tape_check(&t), kind > END_NONE && kind <= END_SIBLING);
        tape_release(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values), cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_exits),  cmocka_unit_test(test_limit),
        cmocka_unit_test(test_file),   cmocka_unit_test(test_ranges),
    };

    return cmocka_run_group_tests_name("tape", tests, NULL, NULL);
}
