/*
 * `kvm-vmm run --each FILE`: the machine boots once; when it is ready it is forked for each line of
 * the file, and the command runs there with the line in its words. At most so many copies run at
 * once. What each printed is written in the order of the lines, when those before it have ended.
 */
#ifndef RUN_EACH_H
#define RUN_EACH_H

#include "options/options.h"
#include "run/junit.h"

struct each_request {
    const char *path;   /* of the lines */
    const char *jobs;   /* NULL: as many as the host has CPUs */
    const char *report; /* JUnit's; or NULL */
    /* Runs a copy, in its process. EACH_OF_COMMAND is set if the status is the command's. */
    int (*copy)(const struct options *options);
};
enum { EACH_OF_COMMAND = 1 << 8 };

/* Reads the lines and opens what is written at the end. */
int each_open(const struct each_request *request, struct error *error) MUST_CHECK;
/* The guest waits to be forked. */
void each_ready(void);
bool each_is_ready(void);
/* For options.service. */
bool each_service(struct vm *vm, const struct options *options);
/* After the run, which ended with `status`: prints a summary of the lines, and returns the exit
 * status: 0 if all were 0, 1 if some were not. */
int each_finish(int status, const char *kernel);

#endif
