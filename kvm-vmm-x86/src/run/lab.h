/* If this host's KVM cannot run Linux, runs the command in the lab's machine, if the program is in
 * the repository. */
#ifndef RUN_LAB_H
#define RUN_LAB_H

#include "base/error.h"

/* Executes the lab's client, which runs this program with the same words; does not return then. 0:
 * this host can do it itself. -1: it cannot, and there is no lab. */
int run_lab_enter(char **argv, struct error *error) MUST_CHECK;

#endif
