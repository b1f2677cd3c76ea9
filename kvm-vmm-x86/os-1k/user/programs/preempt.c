/*
 * preempt [N]: shows preemption. Two programs count in an endless loop without any system call; a
 * third, this one, reads the counters of both N times and sees them grow. (`preempt count [WORD]`
 * is one of the two, and prints WORD before it counts. All three are the same file, so the counter
 * has the same address in each.)
 */
#include "common/string.h"
#include "user/lib/call.h"
#include "user/lib/text.h"

enum { LOOKS_MAX = 1000 };

static volatile uint32_t counter;

static void __attribute__((noreturn)) count_for_ever(void)
{
    for (;;)
        counter++;
}

static uint32_t look(int pid)
{
    uint32_t value = 0;
    int error = call_peek(pid, &counter, &value);

    if (error < 0)
        text_print("preempt: cannot look into %d: %s\n", pid, text_error(error));
    return value;
}

/* Waits until both counters have moved on since the values in `last`. */
static int watch(const int pid[2], uint32_t last[2])
{
    uint32_t now[2];

    for (int i = 0; i < LOOKS_MAX; i++) {
        call_sleep(10);
        now[0] = look(pid[0]);
        now[1] = look(pid[1]);
        if (now[0] != last[0] && now[1] != last[1]) {
            last[0] = now[0];
            last[1] = now[1];
            return 0;
        }
    }
    return -1;
}

int main(int argc, char **argv)
{
    uint32_t last[2] = {0, 0};
    int pid[2], status, failed = 0, times;

    if (argc > 1 && strcmp(argv[1], "count") == 0) {
        if (argc > 2)
            text_print("%s\n", argv[2]);
        count_for_ever();
    }
    times = text_argument(argc, argv, 1, 1, 1000000, 3);
    for (int i = 0; i < 2; i++)
        pid[i] = call_spawn("bin/preempt count", SPAWN_BACKGROUND);
    for (int i = 0; i < times && !failed; i++) {
        failed = watch(pid, last);
        text_print("process %d counted to %u, process %d to %u\n", pid[0], last[0], pid[1],
                   last[1]);
    }
    for (int i = 0; i < 2; i++) {
        call_kill(pid[i]);
        call_wait(pid[i], WAIT_BLOCK, &status);
    }
    text_print("%s, and mine is still %u\n", failed ? "one stands still" : "both move", counter);
    return failed;
}
