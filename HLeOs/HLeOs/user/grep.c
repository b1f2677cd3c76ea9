/*
 * Prints the lines of files, or of its standard input, that match a pattern: ^ and $ are a line's
 * start and end, . is any character, * any number of the character before it. Lines are cut at
 * 1,023 characters. Status 0 if a line matched, 1 if no line did, 2 after an error.
 */
#include "lib.h"

static bool fits_here(const char *pattern, const char *text);

/* Matches any number of `c`, then the pattern. */
static bool fits_star(char c, const char *pattern, const char *text)
{
    do {
        if (fits_here(pattern, text))
            return true;
    } while (*text != '\0' && (*text++ == c || c == '.'));
    return false;
}

static bool fits_here(const char *pattern, const char *text)
{
    for (;; pattern++, text++) {
        if (pattern[0] == '\0')
            return true;
        if (pattern[1] == '*')
            return fits_star(pattern[0], pattern + 2, text);
        if (pattern[0] == '$' && pattern[1] == '\0')
            return *text == '\0';
        if (*text == '\0' || (pattern[0] != '.' && pattern[0] != *text))
            return false;
    }
}

static bool fits(const char *pattern, const char *text)
{
    if (pattern[0] == '^')
        return fits_here(pattern + 1, text);
    do {
        if (fits_here(pattern, text))
            return true;
    } while (*text++ != '\0');
    return false;
}

static char line[1024];
static size_t length;

static bool end_line(const char *pattern)
{
    bool good;

    line[length] = '\0';
    good = fits(pattern, line);
    if (good)
        printf("%s\n", line);
    length = 0;
    return good;
}

static bool search(const char *pattern, int file)
{
    static char bytes[1024];
    bool any = false;
    long got;

    while ((got = read(file, bytes, sizeof bytes)) > 0) {
        for (long i = 0; i < got; i++) {
            if (bytes[i] == '\n')
                any |= end_line(pattern);
            else if (length < sizeof line - 1)
                line[length++] = bytes[i];
        }
    }
    if (length > 0)
        any |= end_line(pattern);
    return any;
}

int main(int argc, char **argv)
{
    bool any = false, failed = false;

    if (argc < 2) {
        fprintf(2, "usage: grep PATTERN [FILE ...]\n");
        return 2;
    }
    if (argc == 2)
        any = search(argv[1], 0);
    for (int i = 2; i < argc; i++) {
        int file = open(argv[i], HLEOS_OPEN_READ);

        if (file < 0) {
            fprintf(2, "grep: %s: cannot be opened\n", argv[i]);
            failed = true;
            continue;
        }
        any |= search(argv[1], file);
        close(file);
    }
    return failed ? 2 : any ? 0 : 1;
}
