/* Programs that the shell runs, in front or in the background. */
#ifndef USER_SHELL_JOB_H
#define USER_SHELL_JOB_H

#include <stdbool.h>

/* Runs the program that the line names, and waits for it unless it is for the background. */
void job_run(const char *line, bool background);

/* Tells which background programs have ended since the last time. */
void job_report_ended(void);

#endif
