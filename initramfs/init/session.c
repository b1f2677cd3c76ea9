/* The programs that init runs; see session.h. */
#include "initramfs/init/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "initramfs/init/button.h"
#include "initramfs/init/power.h"

enum { CANNOT_RUN = 127, SIGNALED = 128 };

static sigset_t taken_signals(void)
{
    static const int signals[] = {SIGCHLD, SIGTERM, SIGUSR1, SIGUSR2, SIGINT, SIGHUP, SIGIO};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaddset(&set, signals[i]);
    return set;
}

void session_block_signals(void)
{
    sigset_t set = taken_signals();

    sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Opens the terminal behind /dev/console, which itself cannot be a controlling terminal: the last
 * one in the kernel's list of consoles. */
static int open_console(void)
{
    char names[128] = "", path[160];
    FILE *active = fopen("/sys/class/tty/console/active", "re");
    int terminal;

    if (active != NULL) {
        if (fgets(names, sizeof names, active) == NULL)
            names[0] = '\0';
        fclose(active);
    }
    names[strcspn(names, "\n")] = '\0';
    snprintf(path, sizeof path, "/dev/%s",
             strrchr(names, ' ') != NULL ? strrchr(names, ' ') + 1 : names);
    terminal = open(path, O_RDWR | O_NOCTTY);
    return terminal >= 0 ? terminal : open("/dev/console", O_RDWR | O_NOCTTY);
}

static void take_terminal(void)
{
    int terminal = open_console();

    if (terminal < 0)
        return; /* keep the kernel's /dev/console, without job control */
    ioctl(terminal, TIOCSCTTY, 1);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        dup2(terminal, fd);
    if (terminal > STDERR_FILENO)
        close(terminal);
}

static int status_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALED + WTERMSIG(status);
}

static void become(const char *const argv[]) __attribute__((noreturn));
static void become(const char *const argv[])
{
    sigset_t set = taken_signals();

    sigprocmask(SIG_UNBLOCK, &set, NULL);
    execvp(argv[0], (char *const *)argv);
    fprintf(stderr, "init: cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(CANNOT_RUN);
}

static pid_t start(const char *const argv[])
{
    pid_t child = fork();

    if (child == 0) {
        setsid();
        become(argv);
    }
    return child;
}

/* Starts the program in the foreground of its own terminal. When a session's leader dies, its
 * terminal hangs up and unwritten output is lost. So this process is the leader, not the program,
 * and waits until all is written. */
static pid_t start_on_terminal(const char *const argv[])
{
    pid_t leader = fork(), program;
    int status = 0;

    if (leader != 0)
        return leader;
    setsid();
    take_terminal();
    signal(SIGTTOU, SIG_IGN);
    program = fork();
    if (program == 0) {
        setpgid(0, 0);
        tcsetpgrp(STDIN_FILENO, getpid()); /* works from the background, as SIGTTOU is ignored */
        signal(SIGTTOU, SIG_DFL);
        become(argv);
    }
    while (waitpid(program, &status, 0) < 0 && errno == EINTR)
        ;
    tcdrain(STDOUT_FILENO);
    _exit(program > 0 ? status_of(status) : CANNOT_RUN);
}

/* Reaps all children that have ended. True if `awaited` is one of them. */
static bool bury(pid_t awaited, int *status)
{
    bool found = false;
    int how;

    for (pid_t dead = waitpid(-1, &how, WNOHANG); dead > 0; dead = waitpid(-1, &how, WNOHANG))
        if (dead == awaited) {
            found = true;
            *status = status_of(how);
        }
    return found;
}

int session_wait(pid_t awaited)
{
    sigset_t set = taken_signals();
    int status = CANNOT_RUN;

    while (awaited > 0 && !bury(awaited, &status)) {
        switch (sigwaitinfo(&set, NULL)) {
        case SIGTERM:
            power_restart();
        case SIGUSR1:
        case SIGUSR2:
            power_end(0);
        case SIGIO:
            if (!button_was_pressed())
                break;
            printf("init: the power button was pressed\n");
            power_end(0);
        default: /* a child has ended, or a signal without a meaning here */
            break;
        }
    }
    return status;
}

void session_install_applets(void)
{
    const char *const install[] = {"/bin/busybox", "--install", "-s", "/bin", NULL};

    if (access(install[0], X_OK) == 0)
        (void)session_wait(start(install));
}

pid_t session_start_agent(const char *program)
{
    const char *const agent[] = {program, NULL};
    pid_t child = start(agent);

    if (child < 0)
        fprintf(stderr, "init: cannot start the agent: %s\n", strerror(errno));
    return child;
}

int session_run(const char *command)
{
    const char *const shell[] = {"sh", NULL}, *const once[] = {"sh", "-c", command, NULL};

    return session_wait(start_on_terminal(command != NULL ? once : shell));
}
