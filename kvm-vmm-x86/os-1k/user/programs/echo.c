/* echo [WORD...]: prints its words; without any, repeats what is typed until an empty line. */
#include "user/lib/line.h"
#include "user/lib/text.h"

int main(int argc, char **argv)
{
    char line[LINE_SIZE];

    for (int i = 1; i < argc; i++)
        text_print("%s%s", argv[i], i + 1 < argc ? " " : "\n");
    if (argc > 1)
        return 0;
    text_print("Type lines; an empty one ends.\n");
    while (line_read("> ", line, NULL) == EDIT_DONE && line[0] != '\0')
        text_print("%s\n", line);
    return 0;
}
