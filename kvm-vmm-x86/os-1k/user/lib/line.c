/* The line editor of common/, with system calls; see line.h. */
#include "user/lib/line.h"

#include "common/string.h"
#include "user/lib/call.h"
#include "user/lib/text.h"

static void write(struct fmt_sink *sink, const char *text, size_t length)
{
    (void)sink;
    call_write(text, length);
}

enum edit_result line_read(const char *prompt, char *line, struct edit_history *history)
{
    struct fmt_sink terminal = {write};
    struct edit_line edit = {.history = history};
    enum edit_result result = EDIT_MORE;
    unsigned state = 0;

    text_print("%s", prompt);
    edit_begin(&edit);
    while (result == EDIT_MORE) {
        int byte = call_getchar();
        /* At the end of input, a line with text ends as by Enter, an empty one as by Ctrl-D. */
        int key = byte >= 0         ? edit_decode(&state, (unsigned char)byte)
                  : edit.length > 0 ? '\n'
                                    : 'D' - '@';

        if (key != EDIT_KEY_NONE)
            result = edit_key(&edit, key, &terminal);
    }
    string_copy(line, edit.text, LINE_SIZE);
    return result;
}
