/* ps: the processes. */
#include "user/lib/call.h"
#include "user/lib/text.h"

static const char *const states[] = {
    [PROCESS_READY] = "ready",     [PROCESS_SLEEPING] = "sleeping", [PROCESS_READING] = "reading",
    [PROCESS_WAITING] = "waiting", [PROCESS_ENDED] = "ended",
};

int main(void)
{
    struct process_info info;

    text_print(" PID PARENT TICKS STATE    NAME\n");
    for (unsigned i = 0; call_processinfo(i, &info) >= 0; i++)
        if (info.state != PROCESS_FREE)
            text_print("%4d %6d %5u %-8s %s\n", info.pid, info.parent, info.ticks,
                       states[info.state], info.name);
    return 0;
}
