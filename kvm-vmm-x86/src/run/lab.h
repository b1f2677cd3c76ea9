/* Where this host's KVM cannot run Linux, the lab's machine can, if this is the repository. */
#ifndef RUN_LAB_H
#define RUN_LAB_H

#include "base/error.h"

/* Becomes the lab's client, which runs this program with the same words, and does not return then.
 * 0: this host can do it itself. -1: it cannot, and there is no lab. */
int run_lab_enter(char **argv, struct error *error) MUST_CHECK;

#endif
