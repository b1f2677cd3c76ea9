/* The jobs of the demonstration; the shell's `run` starts them one by one. */
#ifndef HLEOS_THREAD_JOBS_H
#define HLEOS_THREAD_JOBS_H

/* Runs all of them at once and returns when each has ended. */
void jobs_run_all(void);

/* Runs one by name, -1 if there is none of that name. */
int jobs_run(const char *name) __attribute__((warn_unused_result));

void jobs_list(void);

#endif
