/* Runs the tests and counts; see selftest.h. */
#include "selftest/selftest.h"

#include <stddef.h>

#include "common/string.h"
#include "iostream.h"

static const struct selftest_group groups[] = {
    {"memory", selftest_memory},   {"heap", selftest_heap},     {"faults", selftest_faults},
    {"threads", selftest_threads}, {"sync", selftest_sync},     {"time", selftest_time},
    {"devices", selftest_devices}, {"stress", selftest_stress},
};

enum { NAME_MAX = 48 };

static unsigned failures; /* of the running test; expects run in one thread at a time */

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

static bool wanted(const char *which, const char *group, const char *full)
{
    return strcmp(which, "all") == 0 || strcmp(which, group) == 0 || strcmp(which, full) == 0;
}

bool selftest_run(const char *which)
{
    unsigned passed = 0, failed = 0;

    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        for (const struct selftest *t = groups[g].tests; t->name != NULL; t++) {
            char full[NAME_MAX];

            fmt_snprint(full, sizeof full, "%s.%s", groups[g].name, t->name);
            if (!wanted(which, groups[g].name, full))
                continue;
            failures = 0;
            t->run();
            println("test %s %s", full, failures == 0 ? "ok" : "FAILED");
            *(failures == 0 ? &passed : &failed) += 1;
        }
    }
    println("selftest: %u passed, %u failed", passed, failed);
    return passed > 0 && failed == 0;
}
