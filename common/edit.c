/* The line editor; see edit.h. It draws with backspaces, blanks and plain characters only, so that
 * every terminal understands it. */
#include "common/edit.h"

#include "common/string.h"

#define CONTROL(letter) ((letter) - '@')

enum { ESCAPE = 0x1b, RUBOUT = 0x7f };

/* --- on the screen --- */

static void draw(struct fmt_sink *out, const char *text, size_t length)
{
    if (length > 0)
        out->write(out, text, length);
}

static void draw_left(struct fmt_sink *out, size_t count)
{
    static const char backspaces[EDIT_SIZE] = {[0 ... EDIT_SIZE - 1] = '\b'};

    draw(out, backspaces, count);
}

static void draw_blanks(struct fmt_sink *out, size_t count)
{
    static const char blanks[EDIT_SIZE] = {[0 ... EDIT_SIZE - 1] = ' '};

    draw(out, blanks, count);
    draw_left(out, count);
}

/* Moves the terminal's cursor within what is drawn. */
static void go_to(struct edit_line *line, size_t column, struct fmt_sink *out)
{
    if (column < line->column)
        draw_left(out, line->column - column);
    else
        draw(out, line->text + line->first + line->column, column - line->column);
    line->column = column;
}

/* The start of the part of the line that is shown. It stays as long as the cursor is inside, and
 * else is chosen so that the cursor is in its middle. A line that wraps cannot be drawn with
 * backspaces: on few terminals a backspace moves up a row. */
static size_t window(const struct edit_line *line)
{
    size_t width = line->width != 0 ? line->width : EDIT_SIZE;

    if (line->cursor > line->first + width || (line->cursor <= line->first && line->first > 0))
        return line->cursor > width / 2 ? line->cursor - width / 2 : 0;
    return line->first;
}

/* Draws what has changed from `from` on, and puts the cursor where it belongs. */
static void redraw(struct edit_line *line, size_t from, struct fmt_sink *out)
{
    size_t width = line->width != 0 ? line->width : EDIT_SIZE, first = window(line), shown, old;

    if (first != line->first || from < first)
        from = first;
    if (first != line->first)
        go_to(line, 0, out);
    line->first = first;
    shown = line->length - first < width ? line->length - first : width;
    old = line->shown;
    if (from < first + shown || old > shown) {
        if (from > first + shown)
            from = first + shown;
        go_to(line, from - first, out);
        draw(out, line->text + from, first + shown - from);
        if (old > shown)
            draw_blanks(out, old - shown);
        line->column = shown;
    }
    line->shown = shown;
    go_to(line, line->cursor - first, out);
}

/* --- the line --- */

void edit_begin(struct edit_line *line)
{
    line->length = line->cursor = line->back = 0;
    line->first = line->shown = line->column = 0;
    line->text[0] = '\0';
}

static void insert(struct edit_line *line, char c, struct fmt_sink *out)
{
    if (line->length == EDIT_SIZE - 1)
        return;
    memmove(line->text + line->cursor + 1, line->text + line->cursor,
            line->length - line->cursor + 1);
    line->text[line->cursor++] = c;
    line->length++;
    redraw(line, line->cursor - 1, out);
}

static void move(struct edit_line *line, size_t to, struct fmt_sink *out)
{
    line->cursor = to;
    redraw(line, line->length, out);
}

/* Deletes the bytes from `from` to `to`, and puts the cursor there. */
static void delete_range(struct edit_line *line, size_t from, size_t to, struct fmt_sink *out)
{
    if (from == to)
        return;
    move(line, from, out);
    memmove(line->text + from, line->text + to, line->length - to + 1);
    line->length -= to - from;
    redraw(line, from, out);
}

static size_t word_before(const struct edit_line *line)
{
    size_t from = line->cursor;

    while (from > 0 && line->text[from - 1] == ' ')
        from--;
    while (from > 0 && line->text[from - 1] != ' ')
        from--;
    return from;
}

static void recall(struct edit_line *line, size_t back, struct fmt_sink *out)
{
    const struct edit_history *h = line->history;

    if (h == NULL || back > h->count || back > EDIT_HISTORY)
        return;
    line->back = back;
    move(line, 0, out);
    line->length = string_copy(
        line->text, back == 0 ? "" : h->lines[(h->count - back) % EDIT_HISTORY], EDIT_SIZE);
    line->cursor = line->length;
    redraw(line, 0, out);
}

/* Remembers the line, unless it is empty or the same as the one before. */
static void remember(const struct edit_line *line)
{
    struct edit_history *h = line->history;

    if (h != NULL && line->length > 0 &&
        (h->count == 0 || strcmp(h->lines[(h->count - 1) % EDIT_HISTORY], line->text) != 0))
        string_copy(h->lines[h->count++ % EDIT_HISTORY], line->text, EDIT_SIZE);
}

/* --- keys --- */

static void change(struct edit_line *line, int key, struct fmt_sink *out)
{
    size_t left = line->cursor > 0 ? line->cursor - 1 : 0;
    size_t right = line->cursor < line->length ? line->cursor + 1 : line->length;

    switch (key) {
    case EDIT_KEY_UP:
        recall(line, line->back + 1, out);
        break;
    case EDIT_KEY_DOWN:
        if (line->back > 0)
            recall(line, line->back - 1, out);
        break;
    case EDIT_KEY_LEFT:
        move(line, left, out);
        break;
    case EDIT_KEY_RIGHT:
        move(line, right, out);
        break;
    case EDIT_KEY_HOME:
    case CONTROL('A'):
        move(line, 0, out);
        break;
    case EDIT_KEY_END:
    case CONTROL('E'):
        move(line, line->length, out);
        break;
    case RUBOUT:
    case '\b':
        delete_range(line, left, line->cursor, out);
        break;
    case EDIT_KEY_DELETE:
    case CONTROL('D'):
        delete_range(line, line->cursor, right, out);
        break;
    case CONTROL('K'):
        delete_range(line, line->cursor, line->length, out);
        break;
    case CONTROL('U'):
        delete_range(line, 0, line->cursor, out);
        break;
    case CONTROL('W'):
        delete_range(line, word_before(line), line->cursor, out);
        break;
    default:
        if (key >= ' ' && key < (line->ascii ? RUBOUT : 0x100))
            insert(line, (char)key, out);
    }
}

enum edit_result edit_key(struct edit_line *line, int key, struct fmt_sink *out)
{
    enum edit_result result = key == '\r' || key == '\n'                 ? EDIT_DONE
                              : key == CONTROL('C')                      ? EDIT_CANCELLED
                              : key == CONTROL('D') && line->length == 0 ? EDIT_ENDED
                                                                         : EDIT_MORE;

    if (result == EDIT_MORE) {
        change(line, key, out);
        return result;
    }
    move(line, line->length, out);
    draw(out, "\n", 1);
    if (result == EDIT_DONE)
        remember(line);
    else
        edit_begin(line);
    return result;
}

/* The keys that terminals number, ESC [ N ~. tmux, screen and the Linux console send 1 and 4 for
 * Home and End, rxvt 7 and 8, xterm the letters H and F. */
static int numbered_key(unsigned number)
{
    static const int keys[] = {
        [1] = EDIT_KEY_HOME, [2] = EDIT_KEY_INSERT,  [3] = EDIT_KEY_DELETE,
        [4] = EDIT_KEY_END,  [5] = EDIT_KEY_PAGE_UP, [6] = EDIT_KEY_PAGE_DOWN,
        [7] = EDIT_KEY_HOME, [8] = EDIT_KEY_END};

    return number < sizeof keys / sizeof keys[0] ? keys[number] : EDIT_KEY_NONE;
}

/* The key for the byte that ends a sequence. */
static int sequence_key(unsigned number, unsigned char last)
{
    switch (last) {
    case 'A':
        return EDIT_KEY_UP;
    case 'B':
        return EDIT_KEY_DOWN;
    case 'C':
        return EDIT_KEY_RIGHT;
    case 'D':
        return EDIT_KEY_LEFT;
    case 'H':
        return EDIT_KEY_HOME;
    case 'F':
        return EDIT_KEY_END;
    case '~':
        return numbered_key(number);
    default:
        return EDIT_KEY_NONE;
    }
}

int edit_decode(unsigned *state, unsigned char byte)
{
    /* The state is SEQUENCE plus the number read so far, and OTHERS after the first parameter: the
     * later parameters give modifiers (Shift, Ctrl), which are ignored. */
    enum { PLAIN, ESCAPED, FUNCTION, SEQUENCE, OTHERS = 1 << 16, NUMBER_MAX = 1000 };
    unsigned number = (*state & (OTHERS - 1)) - SEQUENCE;

    if (byte == ESCAPE) {
        *state = ESCAPED;
        return EDIT_KEY_NONE;
    }
    switch (*state) {
    case PLAIN:
        return byte;
    case ESCAPED:
        *state = byte == '[' || byte == 'O' ? SEQUENCE : PLAIN;
        return EDIT_KEY_NONE;
    case FUNCTION:
        *state = PLAIN;
        return EDIT_KEY_NONE;
    default:
        if (byte >= '0' && byte <= '9' && !(*state & OTHERS) && number < NUMBER_MAX) {
            *state = SEQUENCE + number * 10 + (byte - '0');
            return EDIT_KEY_NONE;
        }
        if (byte >= ' ' && byte < '@') {
            *state |= byte > '9' ? OTHERS : 0;
            return EDIT_KEY_NONE;
        }
        /* The Linux console's function keys are ESC [ [ A to E. */
        *state = byte == '[' ? FUNCTION : PLAIN;
        return sequence_key(number, byte);
    }
}
