/* The shell's own commands; see builtin.h. */
#include "user/shell/builtin.h"

#include "common/string.h"
#include "user/lib/call.h"
#include "user/lib/text.h"
#include "user/shell/menu.h"

static void run_exit(const char *argument, const struct edit_history *history)
{
    int status = 0;

    (void)history;
    if (*argument != '\0' && (!text_to_int(argument, &status) || status < 0 || status > 63))
        text_print("exit: not a number from 0 to 63\n");
    else
        call_exit(status);
}

static void run_menu(const char *argument, const struct edit_history *history)
{
    (void)argument;
    (void)history;
    menu_print();
}

static void run_history(const char *argument, const struct edit_history *history)
{
    unsigned count = (unsigned)history->count;
    unsigned first = count > EDIT_HISTORY ? count - EDIT_HISTORY : 0;

    (void)argument;
    for (unsigned i = first; i < count; i++)
        text_print("%4u  %s\n", i + 1, history->lines[i % EDIT_HISTORY]);
}

static void run_help(const char *argument, const struct edit_history *history)
{
    (void)argument;
    (void)history;
    text_print("Commands, with what they take:\n"
               "  table [N]        counter [N [MS [NAME]]]  echo [WORD...]   fibonacci [N]\n"
               "  primes [N]       calc [EXPRESSION]        factorial [N]    gcd [A B]\n"
               "  about            help                     menu             history\n"
               "  ps               kill PID...              sleep MS         exit [STATUS]\n"
               "  ls               cat FILE...              write FILE [WORD...]   rm FILE...\n");
    text_print("To try the kernel:\n"
               "  crash HOW        a program that does what no program may do\n"
               "  preempt [N]      two endless loops, and a third program that watches them\n"
               "  cycles [N]       N programs started and ended, and the memory counted\n"
               "  abuse            every system call with every bad argument\n"
               "  speed [SERVICE]  what system calls, switches and programs cost\n"
               "  status N         ends with status N, which the shell reports of `status N &`\n"
               "A `&` at the end runs a command in the background, Ctrl-C ends the one in front\n"
               "and all that it started, Ctrl-D at an empty prompt leaves. Up and down recall\n"
               "earlier lines.\n");
}

static void kill_one(const char *word)
{
    int pid, error;

    if (!text_to_int(word, &pid)) {
        text_print("kill: %s: not a number\n", word);
        return;
    }
    error = call_kill(pid);
    if (error < 0)
        text_print("kill: %s: %s\n", word, text_error(error));
}

static void run_kill(const char *argument, const struct edit_history *history)
{
    char word[LINE_SIZE];

    (void)history;
    if (*argument == '\0')
        text_print("usage: kill PID...\n");
    while (*argument != '\0') {
        size_t length = 0;

        while (argument[length] != '\0' && argument[length] != ' ')
            length++;
        string_copy(word, argument, length + 1);
        kill_one(word);
        for (argument += length; *argument == ' '; argument++)
            ;
    }
}

static const struct {
    const char *name;
    void (*run)(const char *argument, const struct edit_history *history);
} builtins[] = {
    {"exit", run_exit},       {"menu", run_menu}, {"help", run_help},
    {"history", run_history}, {"kill", run_kill},
};

bool builtin_run(const char *line, const struct edit_history *history)
{
    for (unsigned i = 0; i < sizeof builtins / sizeof builtins[0]; i++) {
        size_t length = strlen(builtins[i].name);
        const char *argument = line + length;

        if (strncmp(line, builtins[i].name, length) != 0 || (*argument != '\0' && *argument != ' '))
            continue;
        while (*argument == ' ')
            argument++;
        builtins[i].run(argument, history);
        return true;
    }
    return false;
}
