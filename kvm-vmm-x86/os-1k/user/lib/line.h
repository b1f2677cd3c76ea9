/* A line from the keyboard, with editing (common/edit.h). */
#ifndef USER_LIB_LINE_H
#define USER_LIB_LINE_H

#include "common/edit.h"

enum { LINE_SIZE = EDIT_SIZE };

/* Prints the prompt and reads a line into `line` (LINE_SIZE bytes), without its end: EDIT_DONE,
 * EDIT_CANCELLED or EDIT_ENDED. `history` may be NULL. */
enum edit_result line_read(const char *prompt, char *line, struct edit_history *history);

#endif
