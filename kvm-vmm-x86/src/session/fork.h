/*
 * Copies of a run, made from its memory by fork(2). Each is a separate run from then on, with its
 * own control socket, output, networks, overlays and generation ID.
 */
#ifndef SESSION_FORK_H
#define SESSION_FORK_H

#include "control/verbs.h"
#include "dev/backend.h"
#include "dev/bus.h"
#include "options/options.h"

/* Whether a run with these options can be forked at all; and whether this guest of it can. */
int session_fork_check_run(const struct options *options, const struct guest_config *guest,
                           struct error *error) MUST_CHECK;
int session_fork_check(const struct vm *vm, const struct options *options,
                       struct error *error) MUST_CHECK;

/* The same for `ctl NAME fork`. */
int session_fork_check_verb(const struct vm *vm, const struct options *options,
                            struct error *error) MUST_CHECK;

/* Copies `vm`, which is paused and whose state and firmware are saved. Returns only in the parent;
 * the copy calls `run`. */
int session_fork(struct vm *vm, const struct options *options, const struct control_order *order,
                 int (*run)(const struct options *options), struct control_copy *copy,
                 struct error *error) MUST_CHECK;
/* The `fork` of struct backend, for HC_FORK: called in the vCPU's thread, answered by the main
 * thread. */
enum fork_answer session_fork_call(void *context, const struct bus_cpu *cpu, uint64_t *number);
/* A run with these options begins. */
void session_fork_call_init(const struct options *options);
/* COPY_ASKED by the vCPU that waits for a copy; 0: none does. */
unsigned session_fork_asked(void);
/* FORK_MADE or FORK_REFUSED; the vCPU is to be woken then. */
void session_fork_answer(enum fork_answer answer, uint64_t number);

/* Whether this is `run --each` and copies were made: then the time limit is that of the copies. */
bool session_fork_outlives(const struct options *options);

#endif
