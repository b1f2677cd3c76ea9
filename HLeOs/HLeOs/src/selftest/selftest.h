/*
 * The kernel's own tests, run inside it. Each is a function that uses expect(); groups are tables,
 * one file each, listed in actions.c.
 *
 * Lines printed: "test GROUP.NAME ok", "test GROUP.NAME FAILED", "test GROUP.NAME left out: WHY",
 * at last "selftest: N passed, M failed", and ", K left out" if there are any.
 */
#ifndef SELFTEST_SELFTEST_H
#define SELFTEST_SELFTEST_H

#include <stdbool.h>
#include <stddef.h>

struct selftest {
    const char *name;
    void (*run)(void);
};

struct selftest_group {
    const char *name;
    const struct selftest *tests; /* ends with an entry whose name is NULL */
};

extern const struct selftest selftest_memory[], selftest_heap[], selftest_faults[],
    selftest_threads[], selftest_sync[], selftest_time[], selftest_devices[], selftest_user[],
    selftest_files[], selftest_processors[], selftest_stress[];

/* Runs "all" or one group, or one test by "GROUP.NAME", of a table that ends with a group whose
 * name is NULL; true if at least one ran and none failed. */
bool selftest_run(const struct selftest_group *groups, const char *which);

/* Notes a failure of the running test, with the place; it goes on. */
#define expect(condition) selftest_expect((condition), #condition, __FILE__, __LINE__)
/* The same, with both values in the message. */
#define expect_equal(a, b) selftest_equal((long)(a), (long)(b), #a, __FILE__, __LINE__)

/* Skips the running test, which does not apply to this machine, with the reason; the test should
 * then return. */
void selftest_leave_out(const char *why);

/* The number of pages that are free, or kept by the heap or for stacks; compare it to find lost
 * pages. */
size_t selftest_pages_left(void);

bool selftest_expect(bool good, const char *text, const char *file, int line);
bool selftest_equal(long a, long b, const char *text, const char *file, int line);

#endif
