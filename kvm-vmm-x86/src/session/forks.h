/*
 * Copies that a guest asks for by hypercall (HC_FORK, --forks N): made one at a time, while the
 * guest stands still; at most N run at once. They share the output of the parent, and end with it.
 * On the main thread.
 */
#ifndef SESSION_FORKS_H
#define SESSION_FORKS_H

#include "options/options.h"

/* Before a run with --forks: the options get its service. */
int session_forks_init(struct options *options, int (*run)(const struct options *options),
                       struct error *error) MUST_CHECK;
/* Whether copies still run. `over`: the run ends, so end them. */
bool session_forks_go_on(bool over);
/* The status of the run: its guest's, or, if that is 0, the status of the first copy that ended
 * with another. */
int session_forks_status(int status);

#endif
