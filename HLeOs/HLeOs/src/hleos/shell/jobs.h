/* The jobs of the demonstration: the shell's `demo` runs them together, `run` one by one. */
#ifndef HLEOS_SHELL_JOBS_H
#define HLEOS_SHELL_JOBS_H

/* Runs all of them at once and returns when each has ended. */
void jobs_run_all(void);

/* Runs one by name, -1 if no job has that name. */
int jobs_run(const char *name) __attribute__((warn_unused_result));

void jobs_list(void);

#endif
