/* A command of the shell, and the table of its built-in commands. */
#ifndef HLEOS_SHELL_COMMANDS_H
#define HLEOS_SHELL_COMMANDS_H

struct shell_command {
    const char *name, *arguments, *help;
    void (*run)(int argc, char **argv);
};

/* Ends with an entry whose name is NULL. */
extern const struct shell_command shell_commands[];

#endif
