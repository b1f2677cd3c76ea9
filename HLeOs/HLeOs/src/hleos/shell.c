/* Reads a line, finds its command, runs it; see shell.h. */
#include "shell.h"

#include <stddef.h>

#include "common/string.h"
#include "iostream.h"
#include "std/io.h"
#include "vga.h"

#define PROMPT "hleos> "

static const struct shell_command *find(const struct shell_command *table, const char *name)
{
    for (; table->name != NULL; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    return NULL;
}

static void list(const struct shell_command *table)
{
    for (; table->name != NULL; table++)
        println("  %-8s %-8s %s", table->name, table->arguments, table->help);
}

static void execute(char *line, const struct shell_command *more)
{
    char *words[SHELL_WORDS_MAX];
    int count = io_split(line, words, SHELL_WORDS_MAX);
    const struct shell_command *command;

    if (count == 0)
        return;
    command = find(shell_commands, words[0]);
    if (command == NULL)
        command = find(more, words[0]);
    if (command != NULL) {
        command->run(count, words);
    } else if (strcmp(words[0], "help") == 0) {
        println("  %-8s %-8s %s", "help", "", "this list");
        list(shell_commands);
        list(more);
    } else {
        println("%s: no such command; `help` lists them", words[0]);
    }
}

void shell_run(const struct shell_command *more)
{
    /* With its history too large for a stack. The last column stays free: the cursor's. */
    static struct io_line line = {.width = VGA_COLUMNS - sizeof PROMPT};

    println("\nType `help` for the commands.");
    for (;;) {
        print("\033[1;32m%.*s\033[0m ", (int)sizeof PROMPT - 2, PROMPT);
        io_line_begin(&line);
        while (!io_line_key(&line, getch(), iostream_sink()))
            ;
        execute(line.text, more);
    }
}
