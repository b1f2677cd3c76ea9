/*
 * The first process of a Linux guest: init(8) of a machine that has a kernel, this image and a
 * console. Its options come from the kernel's command line: the kernel puts every NAME=VALUE that
 * it does not know itself into init's environment.
 *
 *   run=COMMAND    runs it by sh -c, says `init: status N`, and ends the machine with that status
 *   test=NAME      the same with the script /tests/NAME
 *   agent=PROGRAM  starts it beside the command; without a command, the machine ends with the agent
 *
 * Without any of them it runs a shell with job control, and the machine ends with the shell.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "initramfs/init/button.h"
#include "initramfs/init/modules.h"
#include "initramfs/init/mounts.h"
#include "initramfs/init/power.h"
#include "initramfs/init/session.h"

/* Measurements of the boot time wait for this line, so it comes before all else. */
static void greet(void)
{
    struct utsname name;
    struct sysinfo info;

    uname(&name);
    sysinfo(&info);
    printf("init: Linux %s %s, %ld CPU%s, %lu MB\n", name.release, name.machine,
           sysconf(_SC_NPROCESSORS_ONLN), sysconf(_SC_NPROCESSORS_ONLN) == 1 ? "" : "s",
           info.totalram / 1024 * info.mem_unit / 1024);
    fflush(stdout);
}

static void prepare_environment(void)
{
    setenv("PATH", "/bin:/sbin", 1);
    setenv("HOME", "/", 1);
    setenv("TERM", "vt100", 0);
    setenv("PS1", "guest# ", 1);
}

/* The command that decides when the machine ends; NULL for the shell. */
static const char *wanted_command(void)
{
    static char script[256];
    const char *test = getenv("test");

    if (test == NULL)
        return getenv("run");
    snprintf(script, sizeof script, ". /tests/%s", test);
    return script;
}

int main(void)
{
    const char *agent = getenv("agent"), *command = wanted_command();
    bool shell = agent == NULL && command == NULL;
    pid_t server = -1;
    int status;

    if (getpid() != 1) {
        fprintf(stderr, "init: must run as process 1, but another program is process 1\n");
        return 1;
    }
    greet();
    prepare_environment();
    session_block_signals();   /* power-off requests and SIGCHLD stay pending */
    mounts_make();             /* /proc, /sys, /dev, /tmp, terminals */
    modules_load();            /* drivers in the image */
    button_listen();           /* the power button ends the machine, if it has a driver */
    session_install_applets(); /* busybox under its many names */
    if (agent != NULL)
        server = session_start_agent(agent);
    status = command != NULL || shell ? session_run(command) : session_wait(server);
    if (!shell)
        printf("init: status %d\n", status);
    power_end(shell ? 0 : status);
}
