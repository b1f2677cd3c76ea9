/*
 * The first process of a guest of `kvm-vmm run`: it makes the host's folders its root, runs one
 * command there and sends its status to the VMM. Its configuration is /run.conf (conf.h). It
 * exchanges lines with the VMM by the virtio port `control`:
 *
 *   to the VMM    r           the command is about to start, and input may come
 *                 x STATUS    it has ended
 *                 e STATUS TEXT   it cannot be started, and why
 *                 f           it can be forked, and waits for a line (conf.h)
 *   from the VMM  s NUMBER    a signal for the command
 *                 l LINE      replaces each {} in the command of this copy
 *
 * With a terminal the command has hvc0; else pipes, whose other ends lead to the ports `stdin`,
 * `stdout` and `stderr`.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "initramfs/init/modules.h"
#include "initramfs/run/conf.h"
#include "initramfs/run/ports.h"
#include "initramfs/run/relay.h"
#include "initramfs/run/root.h"
#include "initramfs/run/say.h"

enum { FAILED = 125, NOT_EXECUTABLE = 126, NOT_FOUND = 127, SIGNALED = 128 };

/* Becomes the command. An error of exec(2) is written to `tell`. */
static void become(struct conf *conf, const struct relay *relay, int tell)
    __attribute__((noreturn));
static void become(struct conf *conf, const struct relay *relay, int tell)
{
    sigset_t none;
    int code;

    setsid();
    if (conf->terminal)
        ioctl(relay->child[0], TIOCSCTTY, 1);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (dup2(relay->child[fd], fd) < 0)
            _exit(FAILED);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    environ = conf->environment;
    execvp(conf->arguments[0], conf->arguments);
    code = errno;
    if (write(tell, &code, sizeof code) < 0)
        _exit(FAILED);
    _exit(NOT_FOUND);
}

static pid_t start(struct conf *conf, struct relay *relay)
{
    int pipe_fds[2], code = 0;
    pid_t child;

    if (chdir(conf->folder) < 0)
        say_failed(FAILED, "%s: %s", conf->folder, strerror(errno));
    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        say_failed(FAILED, "cannot make a pipe: %s", strerror(errno));
    say("r\n");
    child = fork();
    if (child == 0)
        become(conf, relay, pipe_fds[1]);
    close(pipe_fds[1]);
    relay_started(relay);
    if (child < 0)
        say_failed(FAILED, "cannot start a process: %s", strerror(errno));
    if (read(pipe_fds[0], &code, sizeof code) == sizeof code)
        say_failed(code == ENOENT || code == ENOTDIR ? NOT_FOUND : NOT_EXECUTABLE, "%s: %s",
                   conf->arguments[0], strerror(code));
    close(pipe_fds[0]);
    return child;
}

/* The VMM makes its copies of the machine in this function: only the copies continue. */
static void wait_for_line(struct conf *conf, int fd)
{
    static char line[8192];
    size_t used = 0;

    say("f\n");
    while (used == 0 || line[used - 1] != '\n') {
        struct pollfd port = {.fd = fd, .events = POLLIN};
        ssize_t n = poll(&port, 1, -1) < 0 ? 0 : read(fd, line + used, sizeof line - used);

        if (n > 0)
            used += (size_t)n;
        if (used == sizeof line)
            say_failed(FAILED, "the line is too long");
    }
    line[used - 1] = '\0';
    conf_fill(conf, line + 2);
}

/* Handles the lines that have arrived from the VMM. */
static void take_orders(int fd, pid_t command)
{
    static char line[64];
    static size_t used;
    char bytes[256];
    ssize_t n = read(fd, bytes, sizeof bytes);

    for (ssize_t i = 0; i < n; i++) {
        if (bytes[i] != '\n') {
            if (used < sizeof line - 1)
                line[used++] = bytes[i];
            continue;
        }
        line[used] = '\0';
        used = 0;
        if (line[0] == 's' && atoi(line + 1) > 0)
            kill(-command, atoi(line + 1));
    }
}

/* Reaps all children that have ended. True if the command is one of them. */
static bool bury(pid_t command, int *status)
{
    bool found = false;
    int how;

    for (pid_t dead = waitpid(-1, &how, WNOHANG); dead > 0; dead = waitpid(-1, &how, WNOHANG))
        if (dead == command) {
            found = true;
            *status = WIFEXITED(how) ? WEXITSTATUS(how) : SIGNALED + WTERMSIG(how);
        }
    return found;
}

int main(void)
{
    struct relay relay;
    struct conf conf;
    int status = FAILED, control;
    pid_t command;

    if (getpid() != 1) {
        fprintf(stderr, "run: it must be process 1\n");
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    root_prepare(); /* /proc, /sys and /dev, for the next steps */
    modules_load(); /* drivers for the devices of this machine */
    control = ports_open("control");
    say_by(control); /* errors can be reported from now on */
    conf_read(&conf);
    relay_open(&relay, conf.terminal); /* before the root changes: uses /sys to find the ports */
    root_change(&conf);
    if (conf.forked)
        wait_for_line(&conf, control);
    command = start(&conf, &relay);
    while (!bury(command, &status))
        if (relay_wait(&relay, control))
            take_orders(control, command);
    relay_finish(&relay);
    root_end(&conf);
    sync();
    say("x %d\n", status);
    say_end();
}
