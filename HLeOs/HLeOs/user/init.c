/* The first process: it starts a shell on the console, and another one whenever that has ended. The
 * kernel makes it the parent of processes whose own parent has ended; it waits for these, so that
 * the kernel frees them. */
#include "lib.h"

enum { PAUSE = 1000 };

static void open_console(void)
{
    for (int i = 0; i < 3; i++)
        close(i);
    if (open("/dev/console", HLEOS_OPEN_READ_WRITE) != 0 || dup(0) != 1 || dup(0) != 2)
        exit(1);
}

static int start_shell(void)
{
    static const char *const shell[] = {"sh", NULL};
    int process = fork();

    if (process != 0)
        return process;
    exec("/bin/sh", shell);
    fprintf(2, "init: /bin/sh cannot be started\n");
    exit(127);
}

int main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    open_console();
    for (;;) {
        unsigned long begun = uptime();
        int shell = start_shell(), ended, status = 0;

        while (shell >= 0 && (ended = wait(&status)) != shell && ended >= 0)
            continue;
        if (shell < 0)
            fprintf(2, "init: no process can be made for a shell\n");
        else
            printf("init: the shell has ended with status %d\n", status);
        if (uptime() - begun < PAUSE) /* a shell that cannot run must not fill the console */
            sleep(PAUSE);
    }
}
