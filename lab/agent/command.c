/* See command.h. The child reports a failure through a pipe that exec() closes. */
#include "lab/agent/command.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "lab/agent/share.h"

#define TTY_GROUP 5 /* Debian's, Ubuntu's and Fedora's group of terminals */

_Static_assert(sizeof(struct termios) == sizeof(((struct message_hello *)0)->termios),
               "the client's termios travels whole");

int command_add(struct command *command, const void *bytes, size_t length)
{
    char *longer;

    if (length > MESSAGE_STRINGS_MAX - command->length)
        return -E2BIG;
    longer = realloc(command->strings, command->length + length);
    if (!longer && command->length + length > 0)
        return -ENOMEM;
    memcpy(longer + command->length, bytes, length);
    command->strings = longer;
    command->length += length;
    return 0;
}

void command_forget(struct command *command)
{
    free(command->strings);
    command->strings = NULL;
    command->length = 0;
}

/* The list of all strings with this tag, terminated by NULL. The caller frees it; `count` may be
 * NULL. */
static char **tagged(const struct command *command, char tag, size_t *count)
{
    char **list = NULL;
    size_t used = 0;

    for (int pass = 0; pass < 2; pass++) {
        used = 0;
        for (size_t at = 0; at < command->length; at += strlen(command->strings + at) + 1) {
            if (command->strings[at] != tag)
                continue;
            if (list)
                list[used] = command->strings + at + 1;
            used++;
        }
        if (!list)
            list = calloc(used + 1, sizeof(*list));
        if (!list)
            return NULL;
    }
    if (count)
        *count = used;
    return list;
}

/* Everything that the child needs. All lists are made before the fork. */
struct start {
    const struct command *command;
    const struct cage *cage;
    char **arguments;
    char **environment;
    char **directory;
    gid_t *groups;
    size_t group_count;
    int fds[3];
    bool terminal;
    int report;
};

struct report {
    int status;
    char reason[256];
};

__attribute__((noreturn, format(printf, 3, 4))) static void
fail(const struct start *start, int status, const char *format, ...)
{
    struct report report = {.status = status};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(report.reason, sizeof(report.reason), format, arguments);
    va_end(arguments);
    if (write(start->report, &report, sizeof(report)) < 0)
        _exit(status);
    _exit(status);
}

static void reset_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    for (int signal_number = 1; signal_number < NSIG; signal_number++)
        signal(signal_number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become_user(const struct start *start)
{
    const struct message_hello *hello = &start->command->hello;
    struct rlimit files = {.rlim_cur = 1024, .rlim_max = 524288};

    setrlimit(RLIMIT_NOFILE, &files);
    umask((mode_t)hello->umask & 0777);
    if (setgroups(start->group_count, start->groups) != 0 || setgid(hello->gid) != 0 ||
        setuid(hello->uid) != 0)
        fail(start, 125, "cannot become user %u: %m", hello->uid);
}

/* Arguments can be paths, also after a `=`. Prints one line for each path that exists on the host
 * and not in the machine. */
static void note_missing(const struct start *start)
{
    for (char **argument = start->arguments + 1; *argument; argument++) {
        const char *value = strchr(*argument, '=');
        const char *path = **argument == '/' || !value ? *argument : value + 1;

        if (share_lacks(path))
            dprintf(STDERR_FILENO,
                    "lab: %s exists on this host but not in the lab, whose /run, /var/tmp, /proc, "
                    "/sys and /dev are its own\n",
                    path);
    }
}

__attribute__((noreturn)) static void child(const struct start *start)
{
    const char *directory = start->directory[0];

    cage_enter(start->cage);
    setsid();
    for (int i = 0; i < 3; i++)
        if (dup2(start->fds[i], i) < 0)
            fail(start, 125, "cannot set up descriptor %d: %m", i);
    if (start->terminal)
        for (int i = 0; i < 3; i++)
            if (isatty(i) && ioctl(i, TIOCSCTTY, 0) == 0)
                break;
    share_enter(directory);
    note_missing(start);
    share_leave();
    become_user(start);
    reset_signals();
    if (chdir(directory) != 0)
        fail(start, 125, "the directory %s is not visible in the lab: %m", directory);
    environ = start->environment;
    execvp(start->arguments[0], start->arguments);
    fail(start, errno == ENOENT ? 127 : 126, "%s: %m", start->arguments[0]);
}

static bool lists_make(struct start *start, const struct command *command)
{
    char **groups = tagged(command, TAG_GROUP, &start->group_count);

    start->arguments = tagged(command, TAG_ARGUMENT, NULL);
    start->environment = tagged(command, TAG_ENVIRONMENT, NULL);
    start->directory = tagged(command, TAG_DIRECTORY, NULL);
    start->groups = calloc(start->group_count + 1, sizeof(gid_t));
    if (groups && start->groups)
        for (size_t i = 0; i < start->group_count; i++)
            start->groups[i] = (gid_t)strtoul(groups[i], NULL, 10);
    free(groups);
    return groups && start->groups && start->arguments && start->environment && start->directory &&
           start->arguments[0] && start->directory[0];
}

static void lists_free(struct start *start)
{
    free(start->arguments);
    free(start->environment);
    free(start->directory);
    free(start->groups);
}

static int open_terminal(const struct message_hello *hello, int *outer, int *inner)
{
    struct termios termios;
    struct winsize size = {.ws_row = hello->rows, .ws_col = hello->columns};

    memcpy(&termios, hello->termios, sizeof(termios));
    if (!(hello->terminals & 1) || !(hello->terminals & 2))
        termios.c_oflag &= ~(tcflag_t)OPOST; /* the client's terminal processes output */
    if (openpty(outer, inner, NULL, &termios, &size) != 0)
        return -errno;
    if (fchown(*inner, hello->uid, TTY_GROUP) != 0 || fchmod(*inner, 0620) != 0)
        return -errno;
    fcntl(*outer, F_SETFD, FD_CLOEXEC);
    fcntl(*inner, F_SETFD, FD_CLOEXEC);
    return 0;
}

/* Makes a pipe, or uses the terminal, for each of the three descriptors. Sets `fds` to the child's
 * ends. */
static int open_ends(const struct message_hello *hello, struct command_ends *ends, int fds[3],
                     int *inner)
{
    int *const mine[3] = {&ends->in, &ends->out, &ends->error};

    if (hello->terminals & 7) {
        int code = open_terminal(hello, &ends->terminal, inner);

        if (code < 0)
            return code;
    }
    for (int i = 0; i < 3; i++) {
        int ends_of_pipe[2];

        if (hello->terminals & (1u << i)) {
            fds[i] = fcntl(*inner, F_DUPFD_CLOEXEC, 3);
            continue;
        }
        if (pipe2(ends_of_pipe, O_CLOEXEC) != 0)
            return -errno;
        fds[i] = ends_of_pipe[i == 0 ? 0 : 1];
        *mine[i] = ends_of_pipe[i == 0 ? 1 : 0];
        fcntl(*mine[i], F_SETFL, O_NONBLOCK);
    }
    if (hello->terminals & 1)
        ends->in = fcntl(ends->terminal, F_DUPFD_CLOEXEC, 3);
    if (ends->terminal >= 0)
        fcntl(ends->terminal, F_SETFL, fcntl(ends->terminal, F_GETFL) | O_NONBLOCK);
    return 0;
}

static void close_ends(struct command_ends *ends)
{
    int *const all[] = {&ends->in, &ends->out, &ends->error, &ends->terminal};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
}

/* Forks, and waits until the command runs or the child has reported why not. */
static int launch(struct start *start, pid_t *pid, struct report *report)
{
    int channel[2];
    ssize_t got;

    if (pipe2(channel, O_CLOEXEC) != 0)
        return -errno;
    start->report = channel[1];
    *pid = fork();
    if (*pid == 0)
        child(start);
    close(channel[1]);
    got = *pid < 0 ? -1 : read(channel[0], report, sizeof(*report));
    close(channel[0]);
    if (*pid < 0)
        return -EAGAIN;
    if (got != (ssize_t)sizeof(*report))
        return 0;
    waitpid(*pid, NULL, 0);
    return -ECHILD;
}

int command_start(struct command *command, const struct cage *cage, struct command_ends *ends,
                  pid_t *pid, int *status, char reason[256])
{
    struct start start = {.command = command, .cage = cage, .fds = {-1, -1, -1}};
    struct report report = {.status = 125};
    int inner = -1;
    int code = -EINVAL;

    *ends = (struct command_ends){-1, -1, -1, -1};
    start.terminal = command->hello.terminals & 7;
    if (command->length > 0 && command->strings[command->length - 1] == '\0' &&
        lists_make(&start, command))
        code = open_ends(&command->hello, ends, start.fds, &inner);
    if (code == 0)
        code = launch(&start, pid, &report);
    for (int i = 0; i < 3; i++)
        if (start.fds[i] >= 0)
            close(start.fds[i]);
    if (inner >= 0)
        close(inner);
    lists_free(&start);
    if (code == 0)
        return 0;
    close_ends(ends);
    if (code != -ECHILD)
        snprintf(report.reason, sizeof(report.reason), "the machine cannot start a command: %s",
                 strerror(-code));
    *status = report.status;
    memcpy(reason, report.reason, sizeof(report.reason));
    return code;
}
