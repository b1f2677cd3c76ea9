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

bool testing_disk(void)
{
    static bool said;
    int file = open("/filetest", HLEOS_OPEN_CREATE | HLEOS_OPEN_WRITE);

    if (file < 0 && !said)
        printf("  no file system: this test is left out\n");
    said = true;
    return close(file) == 0 && unlink("/filetest") == 0;
}

int testing_reap(int line)
{
    int status = -1;

    if (wait(&status) < 0)
        testing_fail(line, "wait() > 0");
    return status;
}

static struct hleos_system now(void)
{
    struct hleos_system system;

    check(system_info(&system) == 0);
    return system;
}

static bool as_before(const struct hleos_system *before)
{
    struct hleos_system after = now();

    return after.pages_free >= before->pages_free && after.heap_bytes <= before->heap_bytes &&
           after.processes <= before->processes && after.blocks_free >= before->blocks_free;
}

/* A process that ended without a parent is freed when the next thread ends, so each try runs a
 * child. */
static bool all_comes_back(const struct hleos_system *before)
{
    for (int look = 0; look < PATIENCE && !as_before(before); look++) {
        if (fork_or_fail() == 0)
            exit(0);
        reap();
        sleep(1);
    }
    return as_before(before);
}

/* Removes the empty directory that a failed test has left. If it contains files they are kept,
 * since they may show the cause, and the tests end. */
static void take_away(const char *directory)
{
    struct hleos_stat st;

    if (stat(directory, &st) < 0 || (st.type == HLEOS_DIRECTORY && unlink(directory) == 0))
        return;
    fprintf(2, "  %s is there already, and is no empty directory: remove it\n", directory);
    exit(1);
}

static void run_in(const char *directory, const struct test *test)
{
    if (directory != NULL)
        take_away(directory);
    check(directory == NULL || (mkdir(directory) == 0 && chdir(directory) == 0));
    test->run();
    check(directory == NULL || (chdir("/") == 0 && unlink(directory) == 0));
}

static bool run(const char *program, const struct test *test, const char *directory)
{
    struct hleos_system before, after;
    bool good;

    if (fork_or_fail() == 0) /* allocates what the kernel keeps after a fork */
        exit(0);
    reap();
    before = now();
    if (fork_or_fail() == 0) {
        run_in(directory, test);
        exit(0);
    }
    good = reap() == 0;
    if (!all_comes_back(&before)) {
        after = now();
        printf("  lost: %ld pages, %ld bytes of the kernel's heap, %d processes, %d blocks\n",
               (long)(before.pages_free - after.pages_free),
               (long)(after.heap_bytes - before.heap_bytes),
               (int)(after.processes - before.processes),
               (int)(before.blocks_free - after.blocks_free));
        good = false;
    }
    printf("%s %s %s\n", program, test->name, good ? "ok" : "FAILED");
    return good;
}

int testing_run(const char *program, const struct test *tests, const char *directory,
                const char *only)
{
    unsigned passed = 0, failed = 0;

    for (; tests->name != NULL; tests++) {
        if (only != NULL && strcmp(only, tests->name) != 0)
            continue;
        if (run(program, tests, directory))
            passed++;
        else
            failed++;
    }
    printf("%s: %u passed, %u failed\n", program, passed, failed);
    return passed > 0 && failed == 0 ? 0 : 1;
}
