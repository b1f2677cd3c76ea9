/* Reads a line, finds its command, runs it; see shell.h. */
#include "shell.h"

#include <stddef.h>

#include "common/string.h"
#include "iostream.h"
#include "std/io.h"

static const struct shell_command *find(const char *name)
{
    for (const struct shell_command *c = shell_commands; c->name != NULL; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static void execute(char *line)
{
    char *words[SHELL_WORDS_MAX];
    int count = io_split(line, words, SHELL_WORDS_MAX);
    const struct shell_command *command;

    if (count == 0)
        return;
    command = find(words[0]);
    if (command != NULL)
        command->run(count, words);
    else
        println("%s: no such command; `help` lists them", words[0]);
}

void shell_run(void)
{
    static struct io_line line; /* with its history too large for a stack */

    println("\nType `help` for the commands.");
    for (;;) {
        print("\033[1;32mhleos>\033[0m ");
        io_line_begin(&line);
        while (!io_line_key(&line, getch(), iostream_sink()))
            ;
        execute(line.text);
    }
}
