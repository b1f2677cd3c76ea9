/*
 * Copies of a run, made from its memory by fork(2). Each is a run of its own from then on: with a
 * control socket, output, networks, overlays and a generation of its own.
 */
#ifndef SESSION_FORK_H
#define SESSION_FORK_H

#include "control/verbs.h"
#include "options/options.h"

/* Whether a run with these options can be forked at all; and whether this guest of it can. */
int session_fork_check_run(const struct options *options, const struct guest_config *guest,
                           struct error *error) MUST_CHECK;
int session_fork_check(const struct vm *vm, const struct options *options,
                       struct error *error) MUST_CHECK;

/* The same for `ctl NAME fork`. */
int session_fork_check_verb(const struct vm *vm, const struct options *options,
                            struct error *error) MUST_CHECK;

/* Makes one of `vm`, which stands still and whose state and firmware are saved. Returns in the
 * origin alone: the copy's run is `run`. */
int session_fork(struct vm *vm, const struct options *options, const struct control_order *order,
                 int (*run)(const struct options *options), struct control_copy *copy,
                 struct error *error) MUST_CHECK;
/* Whether this process has made one. */
bool session_fork_was_made(void);

#endif
