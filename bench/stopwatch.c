/*
 * Starts a program and measures it from outside, the same way for all programs. Prints one number.
 *
 *   stopwatch first COMMAND...      microseconds from its start to its first byte of output
 *   stopwatch span COMMAND...       microseconds from its first byte of output to its end
 *   stopwatch cpu COMMAND...        microseconds of CPU time, the kernel's included: a busy
 *                                   machine affects this least
 *   stopwatch resident COMMAND...   KB in use once it has printed a byte, without shared memory
 *                                   (a guest's RAM); its input is an open pipe; it is ended then
 *
 * Status 1 if the program fails or prints nothing. proc(5): RssAnon and RssFile in
 * /proc/PID/status.
 */
#include <err.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now_us(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

struct child {
    pid_t pid;
    int output;
    double started;
};

static struct child child_start(char **command, bool with_input)
{
    posix_spawn_file_actions_t actions;
    struct child child = {0};
    int in[2], out[2];

    if (pipe(in) < 0 || pipe(out) < 0)
        err(1, "pipe");
    posix_spawn_file_actions_init(&actions);
    if (with_input)
        posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    for (int i = 0; i < 2; i++) {
        posix_spawn_file_actions_addclose(&actions, in[i]);
        posix_spawn_file_actions_addclose(&actions, out[i]);
    }
    child.started = now_us();
    if (posix_spawnp(&child.pid, command[0], &actions, NULL, command, environ) != 0)
        errx(1, "%s: cannot be started", command[0]);
    close(out[1]);
    child.output = out[0];
    return child;
}

/* Reads its output to the end, and then its status. */
static void child_finish(const struct child *child)
{
    char buffer[4096];
    int status;

    while (read(child->output, buffer, sizeof(buffer)) > 0)
        ;
    waitpid(child->pid, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        errx(1, "the program failed, wait status %#x", (unsigned)status);
}

/* CPU time of all children that have ended: there is only one. */
static double children_cpu_us(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_CHILDREN, &usage) < 0)
        err(1, "getrusage");
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void child_end(const struct child *child)
{
    kill(child->pid, SIGKILL);
    waitpid(child->pid, NULL, 0);
}

static double resident_kb(pid_t pid)
{
    char path[64], line[256];
    double sum = 0, kb;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    file = fopen(path, "r");
    if (file == NULL)
        err(1, "%s", path);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "RssAnon: %lf", &kb) == 1 || sscanf(line, "RssFile: %lf", &kb) == 1)
            sum += kb;
    }
    fclose(file);
    return sum;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        errx(2, "usage: stopwatch first|span|cpu|resident COMMAND...");

    bool resident = strcmp(argv[1], "resident") == 0;
    struct child child = child_start(argv + 2, resident);
    double value, first;
    char byte;

    if (read(child.output, &byte, 1) != 1)
        errx(1, "%s: prints nothing", argv[2]);
    first = now_us();
    if (resident) {
        value = resident_kb(child.pid);
        child_end(&child);
    } else {
        child_finish(&child);
        value = strcmp(argv[1], "cpu") == 0     ? children_cpu_us()
                : strcmp(argv[1], "first") == 0 ? first - child.started
                                                : now_us() - first;
    }
    printf("%.1f\n", value);
    return 0;
}
