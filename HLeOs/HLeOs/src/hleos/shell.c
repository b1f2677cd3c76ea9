/* Reads a line, finds its command, runs it; see shell.h. */
#include "shell.h"

#include <stddef.h>

#include "common/edit.h"
#include "common/string.h"
#include "iostream.h"
#include "process.h"
#include "shell/files.h"
#include "std/io.h"
#include "thread.h"
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

static void run_program(int argc, char **argv)
{
    struct process *process;
    int error = process_start(argc, (const char *const *)argv, &process);
    int status;

    if (error == PROCESS_NO_SUCH) {
        println("%s: no such command or program; `help` lists the commands", argv[0]);
        return;
    }
    if (error < 0) {
        println("%s: %s", argv[0], process_error_text(error));
        return;
    }
    status = process_wait(process);
    if (status != 0 && status < HLEOS_STATUS_FAULT)
        println("%s: status %d", argv[0], status);
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
        command = find(files_commands, words[0]);
    if (command == NULL)
        command = find(more, words[0]);
    if (command != NULL) {
        command->run(count, words);
    } else if (strcmp(words[0], "help") == 0) {
        println("  %-8s %-8s %s", "help", "", "this list");
        list(shell_commands);
        list(files_commands);
        list(more);
    } else {
        run_program(count, words);
    }
}

void shell_run(const struct shell_command *more)
{
    /* Static, as the history is too large for a stack. The last column is for the cursor. */
    static struct edit_history history;
    static struct edit_line line = {
        .width = VGA_COLUMNS - sizeof PROMPT, .history = &history, .ascii = true};
    enum edit_result result;

    println("\nType `help` for the commands.");
    for (;;) {
        print("\033[1;32m%.*s\033[0m ", (int)sizeof PROMPT - 2, PROMPT);
        edit_begin(&line);
        do
            result = edit_key(&line, getch(), iostream_sink());
        while (result == EDIT_MORE);
        execute(line.text, more);
    }
}
