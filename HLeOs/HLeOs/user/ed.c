/*
 * A line editor: ed FILE. A command may have a line before it, or two for a range: a number, `.`
 * for the current line, `$` for the last; `,` alone is all.
 *
 *   p             prints
 *   n             prints with numbers
 *   d             deletes
 *   a, i          add behind, before: lines that are typed, until one that is only a `.`
 *   s/OLD/NEW/    changes the first OLD of each line
 *   w [FILE]      writes
 *   q             ends
 */
#include "lib.h"

enum { LINE_MAX = 512, LINES_MAX = 4096 };

static char *lines[LINES_MAX];
static int count, current; /* lines have the numbers 1 to count; 0 is before the first */
static bool changed;

static bool fail(const char *what)
{
    fprintf(2, "ed: %s\n", what);
    return false;
}

static bool insert(int after, const char *text)
{
    char *line = count < LINES_MAX ? malloc(strlen(text) + 1) : NULL;

    if (line == NULL)
        return fail("no room for another line");
    memcpy(line, text, strlen(text) + 1);
    memmove(&lines[after + 1], &lines[after], (size_t)(count - after) * sizeof lines[0]);
    lines[after] = line;
    count++;
    current = after + 1;
    return true;
}

/* False if the file does not fit: it is not edited, as it could not be written back. */
static bool load(const char *name)
{
    int file = open(name, HLEOS_OPEN_READ);
    char line[LINE_MAX];
    bool good = true;
    long length;

    if (file < 0)
        return true; /* a new file */
    while (good && (length = read_line(file, line, sizeof line)) != LINE_END) {
        if (length == LINE_ERROR)
            good = fail("the file cannot be read");
        if (!good)
            break;
        good =
            length < LINE_MAX ? insert(count, line) : fail("the file has a line that is too long");
        if (good && strlen(line) != (size_t)length)
            good = fail("the file is not text");
    }
    close(file);
    return good;
}

static bool save(const char *name)
{
    int file = open(name, HLEOS_OPEN_WRITE | HLEOS_OPEN_CREATE | HLEOS_OPEN_TRUNCATE);
    long bytes = 0;

    if (file < 0)
        return fail("the file cannot be written");
    for (int i = 0; i < count; i++) {
        long length = (long)strlen(lines[i]);

        if (write(file, lines[i], (size_t)length) != length || write(file, "\n", 1) != 1) {
            close(file);
            return fail("the file could not be written whole");
        }
        bytes += length + 1;
    }
    fsync(file);
    close(file);
    changed = false;
    printf("%ld\n", bytes);
    return true;
}

/*
 * Reads a line's number at *at, and moves *at behind it. Returns `otherwise` if there is no number.
 */
static int address(const char **at, int otherwise)
{
    int number = 0;

    if (**at == '.' || **at == '$')
        return *(*at)++ == '.' ? current : count;
    if (**at < '0' || **at > '9')
        return otherwise;
    for (; **at >= '0' && **at <= '9'; ++*at)
        number = number < LINES_MAX ? number * 10 + (**at - '0') : LINES_MAX + 1;
    return number;
}

static void add(int after)
{
    char line[LINE_MAX];
    long length;

    while ((length = read_line(0, line, sizeof line)) >= 0 && strcmp(line, ".") != 0) {
        if (length >= LINE_MAX)
            fail("the line is too long and was left out");
        else if (!insert(after++, line))
            return;
        changed = true;
    }
}

static void take_out(int from, int to)
{
    for (int i = from; i <= to; i++)
        free(lines[i - 1]);
    memmove(&lines[from - 1], &lines[to], (size_t)(count - to) * sizeof lines[0]);
    count -= to - from + 1;
    current = from <= count ? from : count;
    changed = true;
}

static char *find(char *text, const char *what, size_t length)
{
    for (; *text != '\0'; text++)
        if (strncmp(text, what, length) == 0)
            return text;
    return NULL;
}

/* Replaces the first `old` in a line. True if there was one and the new line fits. */
static bool substitute(int number, const char *old, size_t length, const char *new, size_t room)
{
    char *line = lines[number - 1], *at = find(line, old, length), *made;
    size_t before = (size_t)(at - line), all;

    if (at == NULL)
        return false;
    all = strlen(line) - length + room;
    made = all < LINE_MAX ? malloc(all + 1) : NULL;
    if (made == NULL)
        return fail("the new line is too long");
    memcpy(made, line, before);
    memcpy(made + before, new, room);
    memcpy(made + before + room, at + length, strlen(at + length) + 1);
    free(line);
    lines[number - 1] = made;
    current = number;
    changed = true;
    return true;
}

static void change(const char *how, int from, int to)
{
    const char *middle = how[0] != '\0' ? strchr(how + 1, how[0]) : NULL, *end;
    bool any = false;

    if (middle == NULL || middle == how + 1) {
        fail("s/OLD/NEW/");
        return;
    }
    end = strchr(middle + 1, how[0]);
    end = end != NULL ? end : middle + 1 + strlen(middle + 1);
    for (int i = from; i <= to; i++)
        any |= substitute(i, how + 1, (size_t)(middle - how - 1), middle + 1,
                          (size_t)(end - middle - 1));
    if (any)
        printf("%s\n", lines[current - 1]);
    else
        fail("nothing was changed");
}

static void print(int from, int to, bool numbers)
{
    for (current = from; current <= to; current++)
        if (numbers)
            printf("%5d  %s\n", current, lines[current - 1]);
        else
            printf("%s\n", lines[current - 1]);
    current = to;
}

/* Executes a command. False for the last one (q). */
static bool obey(const char *command, const char *name)
{
    int next = current < count ? current + 1 : count;
    bool all = command[0] == ',';
    int from = address(&command, all ? 1 : command[0] == '\0' ? next : current), to = from;

    if (*command == ',') {
        command++;
        to = address(&command, count);
    }
    if (*command == 'q') {
        if (!changed)
            return false;
        changed = false;
        return fail("there are changes: w writes them, another q discards them") || true;
    }
    if (*command == 'w')
        return save(command[1] == ' ' ? command + 2 : name) || true;
    if (from > to || to > count || (from < 1 && *command != 'a' && *command != 'i'))
        return fail("there is no such line") || true;
    if (*command == 'a')
        add(to);
    else if (*command == 'i')
        add(from > 0 ? from - 1 : 0);
    else if (*command == 'd')
        take_out(from, to);
    else if (*command == 's')
        change(command + 1, from, to);
    else if (*command == 'p' || *command == 'n' || *command == '\0')
        print(from, to, *command == 'n');
    else
        fail("the commands are p n d a i s/OLD/NEW/ w q");
    return true;
}

int main(int argc, char **argv)
{
    char line[LINE_MAX];

    if (argc != 2) {
        fprintf(2, "usage: ed FILE\n");
        return 2;
    }
    if (!load(argv[1]))
        return 1;
    printf("%d lines\n", count);
    do {
        long length = read_line(0, line, sizeof line);

        if (length < 0)
            break;
        if (length >= LINE_MAX)
            line[0] = '?';
    } while (obey(line, argv[1]));
    return changed ? 1 : 0;
}
