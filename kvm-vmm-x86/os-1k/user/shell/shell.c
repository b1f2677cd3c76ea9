/*
 * The shell: the first process, and the last. It reads a line, finds out what it means (a number of
 * the menu, a built-in command, or a program), runs it, and repeats. When it ends, the machine
 * ends.
 */
#include "common/string.h"
#include "user/lib/call.h"
#include "user/lib/line.h"
#include "user/lib/text.h"
#include "user/shell/builtin.h"
#include "user/shell/job.h"
#include "user/shell/menu.h"

static struct edit_history history;

/* Cuts blanks off both ends, and a `&` off the end; true if there was one. */
static bool trim(char **line)
{
    char *end;
    bool background = false;

    while (**line == ' ')
        (*line)++;
    end = *line + strlen(*line);
    while (end > *line && (end[-1] == ' ' || (end[-1] == '&' && !background)))
        background |= *--end == '&';
    *end = '\0';
    return background;
}

static void run_line(char *line)
{
    bool background = trim(&line);

    line = (char *)(uintptr_t)menu_expand(line);
    if (line[0] != '\0' && !builtin_run(line, &history))
        job_run(line, background);
}

int main(void)
{
    static char line[LINE_SIZE];
    enum edit_result end;

    menu_print();
    do {
        job_report_ended();
        end = line_read("1k> ", line, &history);
        run_line(line);
    } while (end != EDIT_ENDED);
    return 0;
}
