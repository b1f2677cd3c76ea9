/* See testing.h. */
#include "testing.h"

enum { PATIENCE = 300 };

const uintptr_t testing_bad[TESTING_BAD] = {
    0, 0x1000, 0x800000000000, 0xffff800000100000, 0xffffffff80000000, ~UINT64_C(0) - 7};

void testing_fail(int line, const char *what)
{
    fprintf(2, "  line %d: %s does not hold\n", line, what);
    exit(1);
}

int testing_fork(int line)
{
    int process = fork();

    if (process < 0)
        testing_fail(line, "fork() >= 0");
    return process;
}

int testing_reap(int line)
{
    int status = -1;

    if (wait(&status) < 0)
        testing_fail(line, "wait() > 0");
    return status;
}

static uint64_t pages_free(void)
{
    struct hleos_system system;

    check(system_info(&system) == 0);
    return system.pages_free;
}

/* What ended without a parent is freed when the next thread ends: a child, each time. */
static bool pages_come_back(uint64_t pages)
{
    for (int look = 0; look < PATIENCE && pages_free() < pages; look++) {
        if (fork_or_fail() == 0)
            exit(0);
        reap();
        sleep(1);
    }
    return pages_free() >= pages;
}

static bool run(const char *program, const struct test *test)
{
    uint64_t before;
    bool good;

    if (fork_or_fail() == 0) /* what the kernel keeps of a fork */
        exit(0);
    reap();
    before = pages_free();
    if (fork_or_fail() == 0) {
        test->run();
        exit(0);
    }
    good = reap() == 0;
    if (!pages_come_back(before)) {
        printf("  %lu pages are lost\n", (unsigned long)(before - pages_free()));
        good = false;
    }
    printf("%s %s %s\n", program, test->name, good ? "ok" : "FAILED");
    return good;
}

int testing_run(const char *program, const struct test *tests, const char *only)
{
    unsigned passed = 0, failed = 0;

    for (; tests->name != NULL; tests++) {
        if (only != NULL && strcmp(only, tests->name) != 0)
            continue;
        if (run(program, tests))
            passed++;
        else
            failed++;
    }
    printf("%s: %u passed, %u failed\n", program, passed, failed);
    return passed > 0 && failed == 0 ? 0 : 1;
}
