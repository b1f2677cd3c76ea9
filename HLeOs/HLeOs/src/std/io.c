/* Words of a line; see io.h. */
#include "std/io.h"

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
