/* Searches a list of symbols; see symbols.h. */
#include "lib/symbols.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* True for a character that ends a name or is not printable. */
static bool ends_name(char c)
{
    return c <= ' ' || c > '~' || c == '"' || c == '\\';
}

/* Reads the symbol in the line between `at` and `end`. */
static bool read_line(const char *at, const char *end, struct symbol *s)
{
    unsigned digits = 0;

    *s = (struct symbol){0};
    for (; at < end && digits < 16 && digit(*at) >= 0; at++, digits++)
        s->address = s->address << 4 | (uint64_t)digit(*at);
    if (digits == 0 || end - at < 4 || !is_blank(at[0]) || is_blank(at[1]) || !is_blank(at[2]))
        return false;
    s->name = at + 3;
    while (s->name + s->length < end && !ends_name(s->name[s->length]))
        s->length++;
    return s->length > 0;
}

enum { LABELS_MAX = 256, LINE_MAX = 1024 };

/* Finds the line between `low` and `high` that contains `at`; the newline is part of its line.
 * False if the line is too long for a symbol list. */
static bool find_line(const char *text, size_t low, size_t high, size_t at, size_t *start,
                      size_t *end)
{
    const size_t least = at - low > LINE_MAX ? at - LINE_MAX : low;
    const size_t most = high - at > LINE_MAX ? at + LINE_MAX : high;

    for (*start = at; *start > least && text[*start - 1] != '\n';)
        --*start;
    for (*end = at; *end < most && text[*end] != '\n';)
        ++*end;
    return (*start == low || text[*start - 1] == '\n') && (*end == high || text[*end] == '\n');
}

/* True for a compiler's label within a function, which nm lists: .LBB0_1, $x. */
static bool is_label(const struct symbol *s)
{
    return s->name[0] == '.' || s->name[0] == '$';
}

bool symbols_find(const char *text, size_t size, uint64_t address, struct symbol *symbol)
{
    size_t low = 0, high = size; /* low: not above the address; high: above it */
    size_t line = 0;             /* start of the symbol's line */
    bool found = false;

    while (low < high) {
        size_t start, end;
        struct symbol s;

        if (!find_line(text, low, high, low + (high - low) / 2, &start, &end) ||
            !read_line(text + start, text + end, &s))
            return false;
        if (s.address <= address) {
            *symbol = s;
            found = true;
            line = start;
            low = end + (end < high);
        } else {
            high = start;
        }
    }
    for (unsigned i = 0; found && is_label(symbol) && line > 0 && i < LABELS_MAX; i++) {
        size_t end;

        found = find_line(text, 0, size, line - 1, &line, &end) &&
                read_line(text + line, text + end, symbol);
    }
    return found;
}
