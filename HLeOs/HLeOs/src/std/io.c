/* The line editor; see io.h. It draws with backspaces, spaces and plain characters only, so that
 * every terminal understands it. */
#include "std/io.h"

#include "common/string.h"

enum { CTRL_A = 1, CTRL_C = 3, CTRL_E = 5, CTRL_U = 21, BACKSPACE = 8, DELETE = 127, ESCAPE = 27 };

static void put(struct fmt_sink *out, char c, size_t count)
{
    while (count-- > 0)
        out->write(out, &c, 1);
}

/* Moves the terminal's cursor within what is drawn. */
static void go_to(struct io_line *line, size_t column, struct fmt_sink *out)
{
    if (column < line->column)
        put(out, '\b', line->column - column);
    else
        out->write(out, line->text + line->first + line->column, column - line->column);
    line->column = column;
}

/* The part of the line to show: as it is while the cursor is in it, else with the cursor in its
 * middle. A line that wraps could not be drawn with backspaces: few terminals go back up a row. */
static size_t window(const struct io_line *line)
{
    size_t width = line->width != 0 ? line->width : IO_LINE_MAX;

    if (line->cursor > line->first + width || (line->cursor <= line->first && line->first > 0))
        return line->cursor > width / 2 ? line->cursor - width / 2 : 0;
    return line->first;
}

/* Draws what has changed from `from` on, and puts the cursor where it belongs. */
static void redraw(struct io_line *line, size_t from, struct fmt_sink *out)
{
    size_t width = line->width != 0 ? line->width : IO_LINE_MAX, first = window(line), shown, old;

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
        out->write(out, line->text + from, first + shown - from);
        put(out, ' ', old > shown ? old - shown : 0);
        put(out, '\b', old > shown ? old - shown : 0);
        line->column = shown;
    }
    line->shown = shown;
    go_to(line, line->cursor - first, out);
}

void io_line_begin(struct io_line *line)
{
    line->length = line->cursor = line->back = 0;
    line->first = line->shown = line->column = 0;
    line->text[0] = '\0';
}

static void insert(struct io_line *line, char c, struct fmt_sink *out)
{
    if (line->length == IO_LINE_MAX)
        return;
    memmove(line->text + line->cursor + 1, line->text + line->cursor,
            line->length - line->cursor + 1);
    line->text[line->cursor++] = c;
    line->length++;
    redraw(line, line->cursor - 1, out);
}

static void delete_at_cursor(struct io_line *line, struct fmt_sink *out)
{
    if (line->cursor == line->length)
        return;
    memmove(line->text + line->cursor, line->text + line->cursor + 1, line->length - line->cursor);
    line->length--;
    redraw(line, line->cursor, out);
}

static void move(struct io_line *line, size_t to, struct fmt_sink *out)
{
    line->cursor = to;
    redraw(line, line->length, out);
}

static void replace(struct io_line *line, const char *text, struct fmt_sink *out)
{
    move(line, 0, out);
    string_copy(line->text, text, sizeof line->text);
    line->length = line->cursor = strlen(line->text);
    redraw(line, 0, out);
}

static void recall(struct io_line *line, size_t back, struct fmt_sink *out)
{
    if (back > line->remembered || back > IO_HISTORY)
        return;
    line->back = back;
    replace(line, back == 0 ? "" : line->history[(line->remembered - back) % IO_HISTORY], out);
}

static bool finish(struct io_line *line, struct fmt_sink *out)
{
    const char *last = line->history[(line->remembered + IO_HISTORY - 1) % IO_HISTORY];

    move(line, line->length, out);
    put(out, '\n', 1);
    if (line->length > 0 && (line->remembered == 0 || strcmp(last, line->text) != 0))
        string_copy(line->history[line->remembered++ % IO_HISTORY], line->text,
                    sizeof line->history[0]);
    return true;
}

bool io_line_key(struct io_line *line, int key, struct fmt_sink *out)
{
    switch (key) {
    case '\r':
    case '\n':
        return finish(line, out);
    case BACKSPACE:
    case DELETE:
        if (line->cursor > 0) {
            move(line, line->cursor - 1, out);
            delete_at_cursor(line, out);
        }
        break;
    case IO_KEY_DELETE:
        delete_at_cursor(line, out);
        break;
    case IO_KEY_LEFT:
        move(line, line->cursor > 0 ? line->cursor - 1 : 0, out);
        break;
    case IO_KEY_RIGHT:
        move(line, line->cursor < line->length ? line->cursor + 1 : line->length, out);
        break;
    case IO_KEY_HOME:
    case CTRL_A:
        move(line, 0, out);
        break;
    case IO_KEY_END:
    case CTRL_E:
        move(line, line->length, out);
        break;
    case IO_KEY_UP:
        recall(line, line->back + 1, out);
        break;
    case IO_KEY_DOWN:
        if (line->back > 0)
            recall(line, line->back - 1, out);
        break;
    case CTRL_C:
    case CTRL_U:
        replace(line, "", out);
        break;
    default:
        if (key >= ' ' && key < DELETE)
            insert(line, (char)key, out);
        break;
    }
    return false;
}

/* What the number or the letter that ends an escape sequence stands for. */
static int sequence_key(unsigned number, unsigned char last)
{
    static const int tilde[] = {[1] = IO_KEY_HOME, [2] = IO_KEY_INSERT,  [3] = IO_KEY_DELETE,
                                [4] = IO_KEY_END,  [5] = IO_KEY_PAGE_UP, [6] = IO_KEY_PAGE_DOWN};

    switch (last) {
    case 'A':
        return IO_KEY_UP;
    case 'B':
        return IO_KEY_DOWN;
    case 'C':
        return IO_KEY_RIGHT;
    case 'D':
        return IO_KEY_LEFT;
    case 'H':
        return IO_KEY_HOME;
    case 'F':
        return IO_KEY_END;
    case '~':
        return number < sizeof tilde / sizeof tilde[0] ? tilde[number] : IO_KEY_NONE;
    default:
        return IO_KEY_NONE;
    }
}

int io_decode_terminal(unsigned *state, unsigned char byte)
{
    /* SEQUENCE and the number read so far; MODIFIERS while those that follow it are skipped */
    enum { PLAIN, ESCAPED, SEQUENCE, MODIFIERS = 1 << 16, NUMBER_MAX = 1000 };
    unsigned number = (*state & (MODIFIERS - 1)) - SEQUENCE;
    int key;

    switch (*state) {
    case PLAIN:
        *state = byte == ESCAPE ? ESCAPED : PLAIN;
        return byte == ESCAPE ? IO_KEY_NONE : byte;
    case ESCAPED:
        *state = byte == '[' || byte == 'O' ? SEQUENCE : PLAIN;
        return IO_KEY_NONE;
    default:
        if (byte >= '0' && byte <= '9') {
            if (!(*state & MODIFIERS) && number < NUMBER_MAX) /* no key's number is longer */
                *state = SEQUENCE + number * 10 + (byte - '0');
            return IO_KEY_NONE;
        }
        if (byte == ';') { /* Ctrl-Delete is Delete */
            *state |= MODIFIERS;
            return IO_KEY_NONE;
        }
        key = sequence_key(number, byte);
        *state = PLAIN;
        return key;
    }
}

int io_split(char *line, char **words, int max)
{
    int count = 0;

    for (;;) {
        while (*line == ' ' || *line == '\t')
            *line++ = '\0';
        if (*line == '\0' || count == max)
            return count;
        words[count++] = line;
        while (*line != '\0' && *line != ' ' && *line != '\t')
            line++;
    }
}
