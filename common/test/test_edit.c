/* Unit tests of common/edit.c. A model of a terminal's line takes what the editor draws. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/edit.h"

struct screen {
    struct fmt_sink sink;
    char cells[256];
    size_t cursor;
};

static void draw(struct fmt_sink *sink, const char *text, size_t length)
{
    struct screen *s = (struct screen *)sink;

    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\b') {
            assert_true(s->cursor > 0);
            s->cursor--;
        } else if (text[i] == '\n') {
            memset(s->cells, ' ', sizeof s->cells);
            s->cursor = 0;
        } else {
            assert_true(s->cursor < sizeof s->cells);
            s->cells[s->cursor++] = text[i];
        }
    }
}

static struct screen new_screen(void)
{
    struct screen s = {.sink = {draw}};

    memset(s.cells, ' ', sizeof s.cells);
    return s;
}

/* The screen must show the edited line, or the part of it that fits, followed by blanks. The cursor
 * must be in that part and at its place. */
static void check_screen(const struct screen *s, const struct edit_line *line)
{
    size_t seen = line->length - line->first;

    if (line->width != 0 && seen > line->width)
        seen = line->width;
    assert_memory_equal(s->cells, line->text + line->first, seen);
    for (size_t i = seen; i < sizeof s->cells; i++)
        assert_int_equal(s->cells[i], ' ');
    assert_int_equal(s->cursor, line->cursor - line->first);
    assert_true(s->cursor <= seen);
    assert_int_equal(strlen(line->text), line->length);
}

static void type(struct edit_line *line, struct screen *s, const char *text)
{
    while (*text != '\0')
        edit_key(line, (unsigned char)*text++, &s->sink);
}

static void test_editing(void **state)
{
    static struct edit_line line;
    struct screen s = new_screen();

    (void)state;
    edit_begin(&line);
    type(&line, &s, "helo");
    edit_key(&line, EDIT_KEY_LEFT, &s.sink);
    type(&line, &s, "l");
    check_screen(&s, &line);
    assert_string_equal(line.text, "hello");
    edit_key(&line, EDIT_KEY_HOME, &s.sink);
    edit_key(&line, EDIT_KEY_DELETE, &s.sink);
    edit_key(&line, EDIT_KEY_END, &s.sink);
    edit_key(&line, '\b', &s.sink);
    check_screen(&s, &line);
    assert_string_equal(line.text, "ell");
    assert_int_equal(edit_key(&line, '\r', &s.sink), EDIT_DONE);
}

static void enter(struct edit_line *line, struct screen *s, const char *text)
{
    edit_begin(line);
    type(line, s, text);
    assert_int_equal(edit_key(line, '\n', &s->sink), EDIT_DONE);
}

static void test_history(void **state)
{
    static struct edit_history history;
    static struct edit_line line = {.history = &history};
    struct screen s = new_screen();

    (void)state;
    enter(&line, &s, "one");
    enter(&line, &s, "two");
    enter(&line, &s, "two"); /* an equal line is stored once */
    edit_begin(&line);
    edit_key(&line, EDIT_KEY_UP, &s.sink);
    assert_string_equal(line.text, "two");
    edit_key(&line, EDIT_KEY_UP, &s.sink);
    edit_key(&line, EDIT_KEY_UP, &s.sink);
    assert_string_equal(line.text, "one");
    check_screen(&s, &line);
    edit_key(&line, EDIT_KEY_DOWN, &s.sink);
    edit_key(&line, EDIT_KEY_DOWN, &s.sink);
    assert_string_equal(line.text, "");
    check_screen(&s, &line);
}

static void test_control_keys(void **state)
{
    static struct edit_line line;
    struct screen s = new_screen();

    (void)state;
    edit_begin(&line);
    type(&line, &s, "one two  three\x17");
    assert_string_equal(line.text, "one two  ");
    type(&line, &s, "\x17three\001\005\002\x17");
    check_screen(&s, &line);
    assert_string_equal(line.text, "one ");
    type(&line, &s, "two\001\004\004");
    assert_string_equal(line.text, "e two");
    edit_key(&line, EDIT_KEY_RIGHT, &s.sink);
    type(&line, &s, "\013");
    assert_string_equal(line.text, "e");
    type(&line, &s, "nd\025");
    check_screen(&s, &line);
    assert_string_equal(line.text, "");
    type(&line, &s, "\303\274"); /* UTF-8 */
    assert_string_equal(line.text, "\303\274");
    assert_int_equal(edit_key(&line, 3, &s.sink), EDIT_CANCELLED);
    assert_string_equal(line.text, "");
    line.ascii = true;
    type(&line, &s, "\303\274");
    assert_int_equal(edit_key(&line, 4, &s.sink), EDIT_ENDED);
}

static void test_random_keys(void **state)
{
    static struct edit_history history;
    static struct edit_line line = {.history = &history};
    struct screen s = new_screen();

    (void)state;
    srand(3);
    edit_begin(&line);
    for (int i = 0; i < 200000; i++) {
        int key = rand() % 8 == 0 ? EDIT_KEY_UP + rand() % 22 : rand() % 256;

        if (i == 100000) {
            edit_key(&line, '\r', &s.sink);
            line.width = 72; /* the shell's width; the longest line is longer */
            edit_begin(&line);
        }
        if (key < ' ' && rand() % 4 != 0) /* use few of the keys that end or empty the line */
            key = 'x';
        if (edit_key(&line, key, &s.sink) != EDIT_MORE)
            edit_begin(&line);
        check_screen(&s, &line);
    }
}

/* A line longer than its part of the screen is shown in a window that moves with the cursor. */
static void test_a_line_longer_than_the_screen(void **state)
{
    static struct edit_line line = {.width = 10};
    struct screen s = new_screen();

    (void)state;
    edit_begin(&line);
    type(&line, &s, "0123456789");
    check_screen(&s, &line);
    assert_int_equal(line.first, 0);
    type(&line, &s, "abcdefghij");
    check_screen(&s, &line);
    assert_true(line.first > 0 && s.cursor <= 10);
    edit_key(&line, EDIT_KEY_HOME, &s.sink);
    check_screen(&s, &line);
    assert_int_equal(line.first, 0);
    assert_string_equal(line.text, "0123456789abcdefghij");
    assert_int_equal(edit_key(&line, '\r', &s.sink), EDIT_DONE);
}

static int decode(const char *bytes)
{
    unsigned state = 0;
    int key = EDIT_KEY_NONE;

    while (*bytes != '\0')
        key = edit_decode(&state, (unsigned char)*bytes++);
    assert_int_equal(state, 0);
    return key;
}

static void test_terminal_sequences(void **state)
{
    (void)state;
    assert_int_equal(decode("a"), 'a');
    assert_int_equal(decode("\033[A"), EDIT_KEY_UP);
    assert_int_equal(decode("\033OD"), EDIT_KEY_LEFT);
    assert_int_equal(decode("\033[5~"), EDIT_KEY_PAGE_UP);
    assert_int_equal(decode("\033[1;5C"), EDIT_KEY_RIGHT);
    assert_int_equal(decode("\033[3;5~"), EDIT_KEY_DELETE); /* Ctrl-Delete */
    assert_int_equal(decode("\033[5;99999999999;2~"), EDIT_KEY_PAGE_UP);
    assert_int_equal(decode("\033[99999999999~"), EDIT_KEY_NONE);
    assert_int_equal(decode("\033x"), EDIT_KEY_NONE);
    assert_int_equal(decode("\033[7~"), EDIT_KEY_HOME);
    assert_int_equal(decode("\033[[A"), EDIT_KEY_NONE); /* F1 of the Linux console */
    assert_int_equal(decode("\033[?25h"), EDIT_KEY_NONE);
    assert_int_equal(decode("\033[1\033[D"), EDIT_KEY_LEFT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_editing),
        cmocka_unit_test(test_history),
        cmocka_unit_test(test_control_keys),
        cmocka_unit_test(test_random_keys),
        cmocka_unit_test(test_a_line_longer_than_the_screen),
        cmocka_unit_test(test_terminal_sequences),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
