/* The shell: one line, one command. */
#ifndef HLEOS_SHELL_H
#define HLEOS_SHELL_H

#include "shell/commands.h"

enum { SHELL_WORDS_MAX = 8 };

/* Prompts and runs commands for ever, in the thread that calls it: those of shell/commands.c, and
 * those of `more`, a table that ends with an entry whose name is NULL. */
void shell_run(const struct shell_command *more) __attribute__((noreturn));

#endif
