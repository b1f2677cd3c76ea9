/* Unit tests of console.c: exact bytes alone, whole lines and colours among several, prompts at
 * once. */
#include <string.h>

#include "cmocka_all.h"
#include "console/console.h"

static char out[8192], err[8192];
static size_t out_count, err_count;
static unsigned ticks_wanted;
static int answer;

static int keep(int fd, const void *bytes, size_t count)
{
    char *to = fd == 1 ? out + out_count : err + err_count;

    if (answer != 0)
        return answer;
    memcpy(to, bytes, count);
    to[count] = '\0';
    *(fd == 1 ? &out_count : &err_count) += count;
    return 0;
}

static void want_ticks(void)
{
    ticks_wanted++;
}

static void begin(unsigned guests, bool color, bool terminal)
{
    out_count = err_count = ticks_wanted = 0;
    out[0] = err[0] = '\0';
    answer = 0;
    console_init(&(struct console_config){.guests = guests,
                                          .color = color,
                                          .terminal = terminal,
                                          .write = keep,
                                          .want_ticks = want_ticks});
}

static void say(unsigned guest, const char *text)
{
    for (; *text != '\0'; text++)
        vcpu_putchar(guest, (uint8_t)*text);
}

static void test_alone_exact(void **state)
{
    static const uint8_t bytes[] = {0, 1, '\n', 0xff, 0x1b, '\n', 'x'};

    (void)state;
    begin(1, false, false);
    vcpu_write(0, bytes, sizeof bytes);
    console_flush(0);
    assert_int_equal(out_count, sizeof bytes);
    assert_memory_equal(out, bytes, sizeof bytes);
}

static void test_long_line_is_not_lost(void **state)
{
    (void)state;
    begin(1, false, false);
    for (int i = 0; i < 4095; i++)
        vcpu_putchar(0, 'a');
    assert_int_equal(out_count, 0);
    vcpu_putchar(0, 'b');
    assert_int_equal(out_count, 4096);
}

static void test_lines_stay_whole(void **state)
{
    (void)state;
    begin(2, false, false);
    say(0, "hal");
    say(1, "other\n");
    say(0, "lo\n");
    assert_string_equal(out, "other\nhallo\n");
    assert_int_equal(ticks_wanted, 0); /* in a pipe nobody waits for a prompt */
}

static void test_colors(void **state)
{
    (void)state;
    begin(4, true, true);
    say(0, "a\n");
    say(1, "b\n");
    say(2, "c\n");
    say(3, "d\n");
    assert_string_equal(out,
                        "\033[31ma\033[0m\n\033[32mb\033[0m\n\033[34mc\033[0m\n\033[33md\033[0m\n");
}

static void test_prompt_appears(void **state)
{
    (void)state;
    begin(1, false, false);
    say(0, "name? ");
    assert_int_equal(out_count, 0);
    assert_int_equal(ticks_wanted, 1);
    assert_true(console_tick());
    assert_false(console_tick());
    assert_string_equal(out, "name? ");
    say(0, "more"); /* asks for ticks anew */
    assert_int_equal(ticks_wanted, 2);
}

static void test_prompt_among_others(void **state)
{
    (void)state;
    begin(2, false, true);
    say(0, "name? ");
    console_flush(0);
    say(1, "line\n");
    assert_string_equal(out, "name? \nline\n"); /* not "name? line" */
}

static void test_own_words_go_to_stderr(void **state)
{
    (void)state;
    begin(2, true, false);
    vcpu_printf(1, "guest %d", 1);
    console_printf("plain");
    assert_string_equal(err, "\033[32mguest 1\033[0m\nplain\n");
    assert_int_equal(out_count, 0);
}

static void test_failure_is_remembered(void **state)
{
    (void)state;
    begin(1, false, false);
    answer = -32;
    say(0, "x\n");
    answer = 0;
    say(0, "y\n");
    assert_int_equal(console_failure(), -32);
    assert_int_equal(out_count, 0);
    assert_true(ticks_wanted > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone_exact),
        cmocka_unit_test(test_long_line_is_not_lost),
        cmocka_unit_test(test_lines_stay_whole),
        cmocka_unit_test(test_colors),
        cmocka_unit_test(test_prompt_appears),
        cmocka_unit_test(test_prompt_among_others),
        cmocka_unit_test(test_own_words_go_to_stderr),
        cmocka_unit_test(test_failure_is_remembered),
    };

    return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
