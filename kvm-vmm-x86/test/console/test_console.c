/* Unit tests of console.c: exact bytes for one guest, whole lines and colours for several, prompts
 * at once. */
#include <errno.h>
#include <string.h>

#include "cmocka_all.h"
#include "console/console.h"

static char out[1 << 20], err[8192];
static size_t out_count, err_count, takes; /* bytes that standard output takes before it blocks */
static unsigned wakes, rooms;
static int answer;

static int keep(int fd, const void *bytes, size_t count)
{
    char *to = fd == 1 ? out + out_count : err + err_count;

    if (fd == 1 && answer != 0)
        return answer;
    if (fd == 1 && takes == 0)
        return -EAGAIN;
    if (fd == 1 && count > takes)
        count = takes;
    if (fd == 1)
        takes -= count;
    memcpy(to, bytes, count);
    to[count] = '\0';
    *(fd == 1 ? &out_count : &err_count) += count;
    return (int)count;
}

static void wake(void)
{
    wakes++;
}

static void room(unsigned guest)
{
    (void)guest;
    rooms++;
}

static void begin(unsigned guests, bool color, bool terminal)
{
    out_count = err_count = wakes = rooms = 0;
    out[0] = err[0] = '\0';
    takes = SIZE_MAX;
    answer = 0;
    console_init(&(struct console_config){.guests = guests,
                                          .cpus = 1,
                                          .color = color,
                                          .terminal = terminal,
                                          .write = keep,
                                          .wake = wake,
                                          .room = room});
}

static void say(unsigned guest, const char *text)
{
    for (; *text != '\0'; text++)
        vcpu_putchar(guest, (uint8_t)*text);
}

static const char *written(void)
{
    while (console_service())
        ;
    return out;
}

static void test_alone_exact(void **state)
{
    static const uint8_t bytes[] = {0, 1, '\n', 0xff, 0x1b, '\n', 'x'};

    (void)state;
    begin(1, false, false);
    vcpu_write(0, bytes, sizeof bytes);
    console_flush(0);
    (void)written();
    assert_int_equal(out_count, sizeof bytes);
    assert_memory_equal(out, bytes, sizeof bytes);
}

static void test_long_line_is_not_lost(void **state)
{
    (void)state;
    begin(1, false, false);
    for (int i = 0; i < 4095; i++)
        vcpu_putchar(0, 'a');
    (void)written();
    assert_int_equal(out_count, 0);
    vcpu_putchar(0, 'b');
    (void)written();
    assert_int_equal(out_count, 4096);
}

static void test_lines_stay_whole(void **state)
{
    (void)state;
    begin(2, false, false);
    say(0, "hal");
    assert_int_equal(wakes, 0); /* no prompts of several guests in a pipe */
    say(1, "other\n");
    say(0, "lo\n");
    assert_string_equal(written(), "hallo\nother\n");
    assert_false(console_wants_tick());
}

static void test_colors(void **state)
{
    (void)state;
    begin(4, true, true);
    say(0, "a\n");
    say(1, "b\n");
    say(2, "c\n");
    say(3, "d\n");
    assert_string_equal(written(),
                        "\033[31ma\033[0m\n\033[32mb\033[0m\n\033[34mc\033[0m\n\033[33md\033[0m\n");
}

static void test_prompt_appears(void **state)
{
    (void)state;
    begin(1, false, false);
    say(0, "name? ");
    assert_int_equal(wakes, 1);
    assert_string_equal(written(), "");
    assert_true(console_wants_tick());
    console_tick();
    assert_true(console_wants_tick());
    console_tick();
    assert_false(console_wants_tick());
    assert_string_equal(written(), "name? ");
    say(0, "more"); /* the unfinished line must be checked again */
    assert_int_equal(wakes, 2);
}

/* When a guest reads, its unfinished line is shown at once, with one request. */
static void test_prompt_of_a_reader(void **state)
{
    (void)state;
    begin(2, false, false);
    say(0, "name? ");
    console_prompt(0);
    console_prompt(0);
    assert_int_equal(wakes, 1);
    assert_string_equal(written(), "name? ");
    console_prompt(0);
    assert_int_equal(wakes, 1);
}

static void test_prompt_among_others(void **state)
{
    (void)state;
    begin(2, false, true);
    say(0, "name? ");
    console_flush(0);
    say(1, "line\n");
    assert_string_equal(written(), "name? \nline\n"); /* not "name? line" */
}

/* If the output is not read, the guest must wait at its limit and goes on at half of it; nothing is
 * lost. */
static void test_full_ring(void **state)
{
    static uint8_t block[CONSOLE_WRITE_MAX];
    size_t said = 0;

    (void)state;
    begin(2, false, false);
    takes = 0;
    memset(block, 'x', sizeof block);
    block[sizeof block - 1] = '\n';
    while (!console_is_full(0)) {
        vcpu_write(0, block, sizeof block);
        said += sizeof block;
        (void)written();
        assert_true(console_waits(1));
        assert_true(said < sizeof out / 2);
    }
    assert_false(console_is_full(1));
    assert_int_equal(rooms, 0);
    takes = said;
    (void)written();
    assert_int_equal(rooms, 1);
    assert_false(console_is_full(0));
    console_flush(0);
    (void)written();
    assert_int_equal(out_count, said);
    assert_true(console_is_written());
}

/* One guest prints without end, the other one line: the line is printed in its turn. */
static void test_a_neighbour_has_its_turn(void **state)
{
    static uint8_t block[CONSOLE_WRITE_MAX];

    (void)state;
    begin(2, false, false);
    memset(block, '\n', sizeof block);
    takes = 0;
    while (!console_is_full(0))
        vcpu_write(0, block, sizeof block);
    say(1, "meek\n");
    takes = (size_t)2 * CONSOLE_WRITE_MAX + 5;
    (void)written();
    assert_non_null(strstr(out, "meek\n"));
}

/* If output and messages go to the same place, they stay in order. */
static void test_one_place_for_both(void **state)
{
    (void)state;
    begin(1, false, false);
    console_init(&(struct console_config){
        .guests = 1, .cpus = 1, .same = true, .write = keep, .wake = wake});
    say(0, "one\n");
    vcpu_printf(0, "two");
    say(0, "three\n");
    assert_string_equal(written(), "one\ntwo\nthree\n");
}

static void test_own_words_go_to_stderr(void **state)
{
    (void)state;
    begin(2, true, false);
    vcpu_printf(1, "guest %d", 1);
    console_printf("plain");
    (void)written();
    assert_string_equal(err, "\033[32mguest 1\033[0m\nplain\n");
    assert_int_equal(out_count, 0);
}

static void test_failure_is_remembered(void **state)
{
    (void)state;
    begin(1, false, false);
    answer = -EPIPE;
    say(0, "x\n");
    (void)written();
    answer = 0;
    say(0, "y\n");
    (void)written();
    assert_int_equal(console_failure(), -EPIPE);
    assert_int_equal(out_count, 0);
    assert_true(console_is_written()); /* there is nothing to wait for */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone_exact),
        cmocka_unit_test(test_long_line_is_not_lost),
        cmocka_unit_test(test_lines_stay_whole),
        cmocka_unit_test(test_colors),
        cmocka_unit_test(test_prompt_appears),
        cmocka_unit_test(test_prompt_of_a_reader),
        cmocka_unit_test(test_prompt_among_others),
        cmocka_unit_test(test_full_ring),
        cmocka_unit_test(test_a_neighbour_has_its_turn),
        cmocka_unit_test(test_one_place_for_both),
        cmocka_unit_test(test_own_words_go_to_stderr),
        cmocka_unit_test(test_failure_is_remembered),
    };

    return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
