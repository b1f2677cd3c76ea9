/* One run of the program: its guests, its terminal, its end. */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "options/options.h"
#include "session/end.h"

/* Creates the guests, runs them to their end and reports; returns the exit status. */
int session_run(const struct options *options);

#endif
