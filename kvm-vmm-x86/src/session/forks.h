/*
 * Copies that a guest asks for by hypercall (HC_FORK, --forks N): made one at a time, while the
 * guest stands still; at most N run at once. They print where their origin prints, and end with it.
 * On the main thread.
 */
#ifndef SESSION_FORKS_H
#define SESSION_FORKS_H

#include "options/options.h"

/* Before a run with --forks: the options get its service. */
int session_forks_init(struct options *options, int (*run)(const struct options *options),
                       struct error *error) MUST_CHECK;
/* Whether copies run. `over`: they do not matter any more. */
bool session_forks_go_on(bool over);
/* The status of the run: its guest's, or if that is 0 of the first copy that ended otherwise. */
int session_forks_status(int status);

#endif
