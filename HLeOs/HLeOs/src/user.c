/* After boot: tests, figures, or the demonstration and the shell; see user.h. */
#include "user.h"

#include "boot.h"
#include "common/string.h"
#include "common/x86.h"
#include "machine.h"
#include "selftest/bench.h"
#include "selftest/selftest.h"
#include "shell.h"
#include "thread/jobs.h"

static uint64_t entry_tsc;

void user_mark_entry(void)
{
    entry_tsc = x86_rdtsc();
}

uint64_t user_entry_tsc(void)
{
    return entry_tsc;
}

intptr_t user_main(void *argument)
{
    const char *option = boot_option("test"), *demo;
    char tests[64]; /* a test may look at options too */

    (void)argument;
    if (option != NULL) {
        string_copy(tests, option, sizeof tests);
        machine_end(selftest_run(tests) ? MACHINE_GOOD : MACHINE_FAILED);
    }
    option = boot_option("bench");
    if (option != NULL) {
        bench_run(option);
        machine_end(MACHINE_GOOD);
    }
    demo = boot_option("demo");
    if (demo == NULL || strcmp(demo, "no") != 0)
        jobs_run_all();
    shell_run();
    return 0;
}
