/* The shell's commands for files: a table that ends with an entry whose name is NULL. */
#ifndef HLEOS_SHELL_FILES_H
#define HLEOS_SHELL_FILES_H

#include "shell/commands.h"

extern const struct shell_command files_commands[];

#endif
