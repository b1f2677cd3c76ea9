/* The text display of a run, which has one guest then (--display text). */
#ifndef SESSION_DISPLAY_H
#define SESSION_DISPLAY_H

#include "options/options.h"
#include "vm/vm.h"

int session_display_check(const struct options *options, struct error *error) MUST_CHECK;
/* Starts it if the options ask for it. `runs`: whether that guest still runs. `restarts`: whether a
 * thread makes it again now. */
int session_display_start(const struct options *options, struct vm *vm,
                          bool (*runs)(unsigned guest), bool (*restarts)(unsigned guest),
                          struct error *error) MUST_CHECK;

/* Prints the keys after Ctrl-A, on the display or on standard error. */
void session_display_help(void);

#endif
