/*
 * The report that CI servers read (JUnit's XML): `kvm-vmm run --output junit:FILE`. One run is one
 * test case: its command, how long it took, and the end of what it wrote. A status of the command's
 * other than 0 is a failure; where the VMM or the kernel failed it is an error.
 *
 * The machine runs in a child process, so that there is a report even if it crashes.
 */
#ifndef RUN_JUNIT_H
#define RUN_JUNIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct junit {
    const char *path; /* of the report */
    const char *name; /* of the test case */
};

/* Opens the report and returns 0 in a child process, whose output goes through its parent; the
 * parent itself ends with the child's status. -1: there is no child. */
int junit_fork(const struct junit *junit, struct error *error) MUST_CHECK;

/* A report of several test cases, by the process itself: opens it; adds a case, whose output is in
 * two files; writes it, with how many cases were `missed` because the run ended before. */
int junit_open(const char *path, struct error *error) MUST_CHECK;
void junit_case(const char *name, int status, bool of_command, double seconds, const int files[2]);
int junit_close(const char *kernel, size_t missed, struct error *error) MUST_CHECK;

/* In the child, at its end: reports whether its status is the command's, and which kernel ran. Does
 * nothing without junit_fork. */
void junit_tell(bool of_command, const char *kernel);

#endif
