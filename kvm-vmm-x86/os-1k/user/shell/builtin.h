/* The commands that the shell carries out itself: those about the shell, and `kill`, which must
 * work when no process can be started any more. */
#ifndef USER_SHELL_BUILTIN_H
#define USER_SHELL_BUILTIN_H

#include <stdbool.h>

#include "user/lib/line.h"

/* Runs the line if it is such a command; false if it is not. */
bool builtin_run(const char *line, const struct edit_history *history);

#endif
