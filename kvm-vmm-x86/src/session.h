/* One run of the program: its guests, its terminal, its end. */
#ifndef SESSION_H
#define SESSION_H

#include "options/options.h"

/* What the process ends with, besides what guests decide. */
enum {
    STATUS_OK = 0,
    STATUS_USAGE = 2,
    STATUS_LIMIT = 124,
    STATUS_FAILED = 125,
    STATUS_CRASH = 126
};

/* Creates the guests, runs them to their end and reports; returns the exit status. */
int session_run(const struct options *options);

#endif
