/* What init starts in the lab's machine: it enters the host's root, then serves the lines, with one
 * process for each. When no command has run for a while, it ends, and with it the machine. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lab/agent/boot.h"
#include "lab/agent/line.h"
#include "lab/agent/say.h"

#define LINES_MAX 64

/* One slot for each line, in shared memory: the line's process writes it, the agent's first process
 * reads it. */
static struct line_status *statuses;
static pid_t servers[LINES_MAX];

static void start_line(unsigned line)
{
    servers[line] = fork();
    if (servers[line] == 0)
        line_serve(line, &statuses[line]);
    if (servers[line] < 0)
        say("cannot start line %u: %s", line, strerror(errno));
}

static void reap(unsigned lines)
{
    pid_t pid;

    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
        for (unsigned i = 0; i < lines; i++)
            if (servers[i] == pid)
                start_line(i);
}

static bool all_idle(unsigned lines)
{
    for (unsigned i = 0; i < lines; i++)
        if (atomic_load(&statuses[i].busy))
            return false;
    return true;
}

static uint64_t sessions(unsigned lines)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < lines; i++)
        sum += atomic_load(&statuses[i].sessions);
    return sum;
}

/* Checks once a second. Returns when the machine must stop. */
static void watch(const struct boot_options *options)
{
    uint64_t seen = 0;
    unsigned idle = 0;

    for (;;) {
        uint64_t now;

        reap(options->lines);
        now = sessions(options->lines);
        idle = all_idle(options->lines) && now == seen ? idle + 1 : 0;
        seen = now;
        if (options->idle > 0 && idle >= options->idle) {
            say("idle for %u s, stopping", idle);
            return;
        }
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    }
}

int main(void)
{
    struct boot_options options;

    boot_machine(&options); /* the host's root, /dev/kvm */
    if (options.lines == 0 || options.lines > LINES_MAX)
        options.lines = LINES_MAX;
    statuses = mmap(NULL, sizeof(*statuses) * LINES_MAX, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (statuses == MAP_FAILED)
        return 1;
    for (unsigned i = 0; i < options.lines; i++)
        start_line(i); /* commands can run */
    say("ready");
    watch(&options);
    return 0;
}
