/* The text display of a run, which has one guest then (--display text). */
#ifndef SESSION_DISPLAY_H
#define SESSION_DISPLAY_H

#include "options/options.h"
#include "vm/vm.h"

int session_display_check(const struct options *options, struct error *error) MUST_CHECK;
/* If the options ask for one. `runs`: whether that guest still does. */
int session_display_start(const struct options *options, struct vm *vm,
                          bool (*runs)(unsigned guest), struct error *error) MUST_CHECK;

/* The keys behind Ctrl-A, where the user looks. */
void session_display_help(void);

#endif
