/*
 * The line editor. All it needs of the terminal is that backspace moves the cursor left. Keys
 * arrive as bytes or as escape sequences (ECMA-48, section 5.4); each becomes one code.
 */
#include "user/lib/line.h"

#include <stdbool.h>

#include "common/string.h"
#include "user/lib/call.h"
#include "user/lib/text.h"

#define CONTROL(letter) ((letter) - '@')

enum key {
    KEY_ESCAPE = 0x1b,
    KEY_DELETE_LEFT = 0x7f,
    KEY_UP = 0x100, /* codes of our own from here on */
    KEY_DOWN,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_HOME,
    KEY_END,
    KEY_DELETE,
    KEY_UNKNOWN,
};

struct editor {
    char *line;
    size_t length, cursor;
    const struct line_history *history;
    unsigned back; /* how many lines back in history */
};

/* ESC [ N ~: the keys that terminals number. tmux, screen and the Linux console send 1 and 4 for
 * Home and End, rxvt 7 and 8, xterm the letters H and F. */
static int numbered_key(int number)
{
    switch (number) {
    case 1:
    case 7:
        return KEY_HOME;
    case 4:
    case 8:
        return KEY_END;
    case 3:
        return KEY_DELETE;
    default:
        return KEY_UNKNOWN;
    }
}

/* Reads the rest of an escape sequence: parameters, then a final byte from @ to ~. Only the first
 * parameter counts; the second says which of Shift and Ctrl are held. */
static int read_sequence(void)
{
    int first = call_getchar(), c, number = 0;
    bool in_first = true;

    if (first != '[' && first != 'O')
        return first < 0 ? first : KEY_UNKNOWN;
    while ((c = call_getchar()) >= 0 && c < '@') {
        in_first &= c >= '0' && c <= '9' && number < 100;
        if (in_first)
            number = number * 10 + c - '0';
    }
    switch (c) {
    case '[': /* the Linux console's function keys: ESC [ [ A to E */
        c = call_getchar();
        return c < 0 ? c : KEY_UNKNOWN;
    case 'A':
        return KEY_UP;
    case 'B':
        return KEY_DOWN;
    case 'C':
        return KEY_RIGHT;
    case 'D':
        return KEY_LEFT;
    case 'H':
        return KEY_HOME;
    case 'F':
        return KEY_END;
    case '~':
        return numbered_key(number);
    default:
        return c < 0 ? c : KEY_UNKNOWN;
    }
}

static void move_left(size_t count)
{
    static const char backspaces[LINE_SIZE] = {[0 ... LINE_SIZE - 1] = '\b'};

    call_write(backspaces, count);
}

/* Shows the line from `from` on again after a change, and blanks out what was longer before. */
static void redraw(const struct editor *e, size_t from, size_t old_length)
{
    size_t blanks = old_length > e->length ? old_length - e->length : 0;

    call_write(e->line + from, e->length - from);
    for (size_t i = 0; i < blanks; i++)
        call_write(" ", 1);
    move_left(e->length + blanks - e->cursor);
}

static void move_to(struct editor *e, size_t position)
{
    if (position < e->cursor)
        move_left(e->cursor - position);
    else
        call_write(e->line + e->cursor, position - e->cursor);
    e->cursor = position;
}

static void delete_range(struct editor *e, size_t from, size_t to)
{
    size_t old_length = e->length;

    move_to(e, from);
    memmove(e->line + from, e->line + to, e->length - to);
    e->length -= to - from;
    redraw(e, from, old_length);
}

static void insert(struct editor *e, char c)
{
    if (e->length == LINE_SIZE - 1)
        return;
    memmove(e->line + e->cursor + 1, e->line + e->cursor, e->length - e->cursor);
    e->line[e->cursor] = c;
    e->length++;
    e->cursor++;
    call_write(&c, 1);
    redraw(e, e->cursor, e->length);
}

static void replace(struct editor *e, const char *text)
{
    size_t old_length = e->length;

    move_to(e, 0);
    e->length = string_copy(e->line, text, LINE_SIZE);
    e->cursor = e->length;
    redraw(e, 0, old_length);
}

static void recall(struct editor *e, int direction)
{
    unsigned kept;

    if (e->history == NULL)
        return;
    kept = e->history->count < LINE_HISTORY ? e->history->count : LINE_HISTORY;
    if ((direction > 0 && e->back == kept) || (direction < 0 && e->back == 0))
        return;
    e->back += (unsigned)direction;
    replace(e, e->back == 0 ? "" : e->history->lines[(e->history->count - e->back) % LINE_HISTORY]);
}

static void delete_word(struct editor *e)
{
    size_t from = e->cursor;

    while (from > 0 && e->line[from - 1] == ' ')
        from--;
    while (from > 0 && e->line[from - 1] != ' ')
        from--;
    delete_range(e, from, e->cursor);
}

static void edit(struct editor *e, int key)
{
    switch (key) {
    case KEY_UP:
        recall(e, 1);
        break;
    case KEY_DOWN:
        recall(e, -1);
        break;
    case KEY_LEFT:
        move_to(e, e->cursor > 0 ? e->cursor - 1 : 0);
        break;
    case KEY_RIGHT:
        move_to(e, e->cursor < e->length ? e->cursor + 1 : e->length);
        break;
    case KEY_HOME:
    case CONTROL('A'):
        move_to(e, 0);
        break;
    case KEY_END:
    case CONTROL('E'):
        move_to(e, e->length);
        break;
    case KEY_DELETE_LEFT:
    case '\b':
        delete_range(e, e->cursor > 0 ? e->cursor - 1 : 0, e->cursor);
        break;
    case KEY_DELETE:
    case CONTROL('D'):
        delete_range(e, e->cursor, e->cursor < e->length ? e->cursor + 1 : e->length);
        break;
    case CONTROL('K'):
        delete_range(e, e->cursor, e->length);
        break;
    case CONTROL('U'):
        delete_range(e, 0, e->cursor);
        break;
    case CONTROL('W'):
        delete_word(e);
        break;
    default:
        if (key >= ' ' && key < 0x100)
            insert(e, (char)key);
    }
}

enum line_end line_read(const char *prompt, char *line, const struct line_history *history)
{
    struct editor e = {.line = line, .history = history};
    enum line_end end = LINE_DONE;
    int key;

    text_print("%s", prompt);
    for (;;) {
        key = call_getchar();
        if (key == KEY_ESCAPE)
            key = read_sequence();
        if (key == '\n' || key == '\r')
            break;
        if (key == CONTROL('C')) {
            e.length = 0;
            end = LINE_CANCELLED;
            break;
        }
        if (key < 0 || (key == CONTROL('D') && e.length == 0)) {
            end = e.length == 0 ? LINE_END_OF_INPUT : LINE_DONE;
            break;
        }
        edit(&e, key);
    }
    line[e.length] = '\0';
    text_print("\n");
    return end;
}

void line_remember(struct line_history *history, const char *line)
{
    const char *last = history->lines[(history->count - 1) % LINE_HISTORY];

    if (line[0] != '\0' && (history->count == 0 || strcmp(line, last) != 0))
        string_copy(history->lines[history->count++ % LINE_HISTORY], line, LINE_SIZE);
}
