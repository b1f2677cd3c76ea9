/* Counts lines, words and characters of files, or of its standard input. */
#include "lib.h"

static bool count(int file, const char *name)
{
    static char bytes[1024];
    unsigned long lines = 0, words = 0, characters = 0;
    bool inside = false;
    long got;

    while ((got = read(file, bytes, sizeof bytes)) > 0) {
        for (long i = 0; i < got; i++) {
            bool blank = bytes[i] == '\n' || memchr(" \t\r\v", bytes[i], 4) != NULL;

            lines += bytes[i] == '\n';
            words += !blank && !inside;
            inside = !blank;
        }
        characters += (unsigned long)got;
    }
    printf("%lu %lu %lu%s%s\n", lines, words, characters, *name != '\0' ? " " : "", name);
    return got == 0;
}

int main(int argc, char **argv)
{
    int status = 0;

    if (argc < 2)
        return count(0, "") ? 0 : 1;
    for (int i = 1; i < argc; i++) {
        int file = open(argv[i], HLEOS_OPEN_READ);

        if (file < 0)
            fprintf(2, "wc: %s: cannot be opened\n", argv[i]);
        if (file < 0 || !count(file, argv[i]))
            status = 1;
        close(file);
    }
    return status;
}
