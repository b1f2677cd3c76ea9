/* Runs the tests and counts; see selftest.h. */
#include "selftest/selftest.h"

#include <stddef.h>

#include "common/string.h"
#include "iostream.h"
#include "kmalloc.h"
#include "memory/page.h"
#include "thread/stack.h"

enum { NAME_MAX = 48 };

static const char *left_out; /* NULL, or why */
static unsigned failures;    /* of the running test; expects run in one thread at a time */

bool selftest_expect(bool good, const char *text, const char *file, int line)
{
    if (!good) {
        __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
        println("  %s:%d: %s does not hold", file, line, text);
    }
    return good;
}

bool selftest_equal(long a, long b, const char *text, const char *file, int line)
{
    if (a != b) {
        __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
        println("  %s:%d: %s is %ld, not %ld", file, line, text, a, b);
    }
    return a == b;
}

void selftest_leave_out(const char *why)
{
    left_out = why;
}

size_t selftest_pages_left(void)
{
    return page_stats().free + kmalloc_stats().bytes_mapped / PAGE_SIZE + stack_pages_kept();
}

static bool wanted(const char *which, const char *group, const char *full)
{
    return strcmp(which, "all") == 0 || strcmp(which, group) == 0 || strcmp(which, full) == 0;
}

/* The tests counted by outcome. */
struct tally {
    unsigned passed, failed, left_out;
};

static void run(const char *name, const struct selftest *test, struct tally *tally)
{
    failures = 0;
    left_out = NULL;
    test->run();
    if (failures > 0) {
        println("test %s FAILED", name);
        tally->failed++;
    } else if (left_out != NULL) {
        println("test %s left out: %s", name, left_out);
        tally->left_out++;
    } else {
        println("test %s ok", name);
        tally->passed++;
    }
}

bool selftest_run(const struct selftest_group *groups, const char *which)
{
    struct tally tally = {0};
    char rest[24] = "";

    for (const struct selftest_group *g = groups; g->name != NULL; g++) {
        for (const struct selftest *t = g->tests; t->name != NULL; t++) {
            char full[NAME_MAX];

            fmt_snprint(full, sizeof full, "%s.%s", g->name, t->name);
            if (wanted(which, g->name, full))
                run(full, t, &tally);
        }
    }
    if (tally.left_out > 0)
        fmt_snprint(rest, sizeof rest, ", %u left out", tally.left_out);
    println("selftest: %u passed, %u failed%s", tally.passed, tally.failed, rest);
    return tally.passed > 0 && tally.failed == 0;
}
