/* write FILE [WORD...]: makes the file hold these words; without any, the lines that are typed,
 * until an empty one. */
#include "common/string.h"
#include "user/lib/call.h"
#include "user/lib/line.h"
#include "user/lib/text.h"

/* Puts a text at `*offset` of the file and moves the offset behind it. */
static void put(const char *name, const char *text, uint32_t *offset)
{
    int n = call_writefile(name, text, strlen(text), *offset);

    if (n < 0) {
        text_print("write: %s: %s\n", name, text_error(n));
        call_exit(1);
    }
    *offset += (uint32_t)n;
}

int main(int argc, char **argv)
{
    char line[LINE_SIZE];
    uint32_t offset = 0;

    if (argc < 2) {
        text_print("usage: write FILE [WORD...]\n");
        return 2;
    }
    put(argv[1], "", &offset);
    for (int i = 2; i < argc; i++) {
        put(argv[1], argv[i], &offset);
        put(argv[1], i + 1 < argc ? " " : "\n", &offset);
    }
    while (argc == 2 && line_read("> ", line, NULL) == EDIT_DONE && line[0] != '\0') {
        put(argv[1], line, &offset);
        put(argv[1], "\n", &offset);
    }
    text_print("%u bytes in %s\n", offset, argv[1]);
    return 0;
}
