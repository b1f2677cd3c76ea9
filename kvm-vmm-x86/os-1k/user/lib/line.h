/* A line from the keyboard, with editing: arrows, Home, End, Backspace, Delete, Ctrl-A E K U W, and
 * the history by up and down. */
#ifndef USER_LIB_LINE_H
#define USER_LIB_LINE_H

#include <stddef.h>

enum { LINE_SIZE = 200, LINE_HISTORY = 16 };

struct line_history {
    char lines[LINE_HISTORY][LINE_SIZE];
    unsigned count; /* of all lines ever added; the last LINE_HISTORY are kept */
};

enum line_end {
    LINE_DONE,
    LINE_CANCELLED /* Ctrl-C */,
    LINE_END_OF_INPUT /* Ctrl-D, nothing typed */
};

/* Prints the prompt and reads a line into `line` (LINE_SIZE bytes), without its end. `history` may
 * be NULL. */
enum line_end line_read(const char *prompt, char *line, const struct line_history *history);

/* Remembers a line, unless it is empty or the same as the one before. */
void line_remember(struct line_history *history, const char *line);

#endif
