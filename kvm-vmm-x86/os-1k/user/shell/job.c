/* Starts programs, waits for them, and reports their ends; see job.h. */
#include "user/shell/job.h"

#include "user/lib/call.h"
#include "user/lib/line.h"
#include "user/lib/text.h"

static void report(int pid, int status)
{
    if (status == STATUS_KILLED)
        text_print("[%d] killed\n", pid);
    else if (status >= STATUS_FAULT)
        text_print("[%d] stopped by a fault\n", pid);
    else
        text_print("[%d] done, status %d\n", pid, status);
}

/* A name without a folder means a program in bin/. */
static int start(const char *line, enum spawn_options options)
{
    char path[LINE_SIZE + 4];

    for (const char *c = line; *c != '\0' && *c != ' '; c++)
        if (*c == '/')
            return call_spawn(line, options);
    fmt_snprint(path, sizeof path, "bin/%s", line);
    return call_spawn(path, options);
}

void job_run(const char *line, bool background)
{
    int length = 0, status = 0, pid = start(line, background ? SPAWN_BACKGROUND : SPAWN_FRONT);

    while (line[length] != '\0' && line[length] != ' ')
        length++;
    if (pid == ERROR_NO_FILE)
        text_print("%.*s: no such command (try `help`)\n", length, line);
    else if (pid < 0)
        text_print("%.*s: %s\n", length, line, text_error(pid));
    else if (background)
        text_print("[%d] started\n", pid);
    else if (call_wait(pid, WAIT_BLOCK, &status) == pid && status == STATUS_KILLED)
        report(pid, status);
}

void job_report_ended(void)
{
    int pid, status;

    while ((pid = call_wait(0, WAIT_POLL, &status)) > 0)
        report(pid, status);
}
