/* For tests that need a single processor. */
#ifndef SELFTEST_PROCESSORS_H
#define SELFTEST_PROCESSORS_H

/* Keeps all processors but one busy while `run` runs. */
void processors_leave_one(void (*run)(void));

#endif
