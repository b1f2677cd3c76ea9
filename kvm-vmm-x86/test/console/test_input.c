/* Unit tests of input.c: the queue, the focus, the keys, the end. */
#include <string.h>

#include "cmocka_all.h"
#include "console/input.h"

static unsigned wakes, commands;
static enum input_command last_command;

static void wake(void)
{
    wakes++;
}

static void command(enum input_command c)
{
    commands++;
    last_command = c;
}

static void begin(unsigned guests, unsigned focus, bool keys)
{
    wakes = commands = 0;
    input_init(&(struct input_config){
        .guests = guests, .focus = focus, .keys = keys, .wake = wake, .command = command});
}

static void feed(const char *text)
{
    input_feed((const uint8_t *)text, strlen(text));
}

static void test_nothing_is_read_before_it_is_wanted(void **state)
{
    (void)state;
    begin(1, 0, false);
    assert_int_equal(input_room(), 0);
    assert_false(input_is_read());
    input_want(0);
    input_want(0);
    assert_int_equal(wakes, 1);
    assert_int_equal(input_room(), INPUT_QUEUE_SIZE);
    assert_true(input_is_read());
}

static void test_bytes_then_end(void **state)
{
    (void)state;
    begin(1, 0, false);
    input_want(0);
    feed("a\001b");
    assert_int_equal(input_pending(0), 3);
    assert_int_equal(input_take(0), 'a');
    assert_int_equal(input_take(0), 1); /* no keys: Ctrl-A is data */
    input_finish();
    assert_int_equal(input_take(0), 'b');
    assert_int_equal(input_take(0), INPUT_END);
    assert_int_equal(input_pending(0), INPUT_END);
    assert_int_equal(input_room(), 0);
}

static void test_full_queue(void **state)
{
    static uint8_t block[INPUT_QUEUE_SIZE];

    (void)state;
    begin(1, 0, false);
    input_want(0);
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (uint8_t)(i * 7);
    input_feed(block, sizeof block);
    assert_int_equal(input_room(), 0);
    wakes = 0;
    for (size_t i = 0; i < sizeof block / 2; i++)
        assert_int_equal(input_take(0), block[i]);
    assert_int_equal(wakes, 1); /* once, and only when there is much room */
    assert_int_equal(input_room(), sizeof block / 2);
}

static void test_focus(void **state)
{
    (void)state;
    begin(3, 1, true);
    input_want(0);
    input_want(1);
    assert_int_equal(input_take(0), INPUT_END);
    assert_int_equal(input_take(1), INPUT_NONE);
    feed("x");
    assert_int_equal(input_pass_focus(), 2);
    assert_int_equal(input_take(1), 'x'); /* guest 1 keeps its earlier input */
    assert_int_equal(input_take(1), INPUT_END);
    input_stop(0);
    assert_int_equal(input_pass_focus(), 1); /* 0 has ended: passed over */
}

/* Keys for the VMM work even if the queue is full, and a Ctrl-C for which the guest has no room
 * ends the guest. */
static void test_keys_behind_a_full_queue(void **state)
{
    static uint8_t block[INPUT_QUEUE_SIZE];

    (void)state;
    begin(1, 0, true);
    input_want(0);
    memset(block, 'a', sizeof block);
    for (int i = 0; i < 3; i++) {
        assert_true(input_room() > 0);
        input_feed(block, sizeof block);
    }
    assert_int_equal(input_pending(0), INPUT_QUEUE_SIZE);
    feed("\003");
    assert_int_equal(last_command, INPUT_INTERRUPT);
    feed("\001x");
    assert_int_equal(commands, 2);
    assert_int_equal(last_command, INPUT_LEAVE);
}

/* A restarted guest keeps the focus and its input, but does not count as reading yet. */
static void test_restart(void **state)
{
    (void)state;
    begin(2, 0, true);
    input_want(0);
    feed("ab");
    assert_int_equal(input_take(0), 'a');
    input_restart(0);
    assert_false(input_is_read());
    assert_int_equal(input_focus(), 0);
    input_want(0);
    assert_int_equal(input_take(0), 'b');
}

static void test_keys(void **state)
{
    (void)state;
    begin(1, 0, true);
    input_want(0);
    feed("\001");
    feed("x");
    assert_int_equal(commands, 1);
    assert_int_equal(last_command, INPUT_LEAVE);
    feed("\001n\001h\001z\001\001");
    assert_int_equal(commands, 3);
    assert_int_equal(input_take(0), 1);
    assert_int_equal(input_take(0), INPUT_NONE);
}

static void test_ctrl_c_ends_what_does_not_read(void **state)
{
    (void)state;
    begin(2, 0, true);
    input_want(1); /* the other guest reads: keys are needed */
    assert_true(input_is_read());
    assert_true(input_room() > 0);
    feed("\003");
    assert_int_equal(commands, 1);
    assert_int_equal(last_command, INPUT_INTERRUPT);
    input_stop(0); /* the focus moves by itself */
    assert_int_equal(input_focus(), 1);
    feed("\003");
    assert_int_equal(commands, 1);
    assert_int_equal(input_take(1), 3);
}

static void test_stop(void **state)
{
    (void)state;
    begin(1, 0, false);
    input_want(0);
    feed("abc");
    input_stop(0);
    assert_int_equal(input_take(0), INPUT_NONE);
    assert_int_equal(input_room(), 0);
    assert_false(input_is_read());
    input_restart(0); /* it is reset after its end */
    input_want(0);
    assert_true(input_is_read());
    assert_int_equal(input_take(0), 'a');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_read_before_it_is_wanted),
        cmocka_unit_test(test_bytes_then_end),
        cmocka_unit_test(test_full_queue),
        cmocka_unit_test(test_focus),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_keys_behind_a_full_queue),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_ctrl_c_ends_what_does_not_read),
        cmocka_unit_test(test_stop),
    };

    return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
