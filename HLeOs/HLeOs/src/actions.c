/* After boot: tests, figures, or the shell; see actions.h. */
#include "actions.h"

#include <stddef.h>

#include "common/string.h"
#include "cpu/boot.h"
#include "cpu/machine.h"
#include "disk/disk.h"
#include "fs/system.h"
#include "iostream.h"
#include "process.h"
#include "selftest/bench.h"
#include "selftest/load.h"
#include "selftest/selftest.h"
#include "shell.h"

static const struct selftest_group tests[] = {
    {"memory", selftest_memory},         {"heap", selftest_heap},     {"faults", selftest_faults},
    {"threads", selftest_threads},       {"sync", selftest_sync},     {"time", selftest_time},
    {"devices", selftest_devices},       {"user", selftest_user},     {"files", selftest_files},
    {"processors", selftest_processors}, {"stress", selftest_stress}, {0},
};

static void test(int argc, char **argv)
{
    (void)selftest_run(tests, argc > 1 ? argv[1] : "all");
}

/* The first process. It ends only if it is killed. */
static void init(int argc, char **argv)
{
    const char *words[] = {"init"};
    struct process *process;
    int error = process_start(1, words, &process);

    (void)argc;
    (void)argv;
    if (error < 0)
        println("init: %s", process_error_text(error));
    else
        println("init has ended with status %#x", (unsigned)process_wait_init(process));
}

static const struct shell_command commands[] = {
    {"init", "", "starts /bin/init, which starts shells; killing it returns here", init},
    {"test", "[NAME]", "runs the tests, or those of one group", test},
    {0},
};

intptr_t actions_main(void *argument)
{
    const char *option = boot_option("test");
    char which[64]; /* a test may read the options too */

    (void)argument;
    bench_mark_disks();
    disk_init();
    system_mount();
    if (option != NULL) {
        bool good;

        string_copy(which, option, sizeof which);
        good = selftest_run(tests, which);
        system_sync();
        machine_end(good ? MACHINE_GOOD : MACHINE_FAILED);
    }
    option = boot_option("load");
    if (option != NULL) {
        string_copy(which, option, sizeof which);
        load_run(which);
    }
    option = boot_option("bench");
    if (option != NULL) {
        bench_run(option);
        machine_end(MACHINE_GOOD);
    }
    if (boot_option("init") != NULL)
        init(0, NULL);
    shell_run(commands);
}
