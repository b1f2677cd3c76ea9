/* The shell: one line, one command. The commands are a table in shell/commands.c. */
#ifndef HLEOS_SHELL_H
#define HLEOS_SHELL_H

enum { SHELL_WORDS_MAX = 8 };

struct shell_command {
    const char *name, *arguments, *help;
    void (*run)(int argc, char **argv);
};

/* Ends with an entry whose name is NULL. */
extern const struct shell_command shell_commands[];

/* Prompts and runs commands for ever, in the thread that calls it. */
void shell_run(void);

#endif
