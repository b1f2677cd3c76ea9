/*
 * `kvm-vmm run`: boots a kernel with the host's own folders as its root, runs one command there
 * with the caller's input, output and terminal, and returns its status. Options that it does not
 * have itself are those of the VMM.
 */
#ifndef RUN_H
#define RUN_H

#include "base/error.h"

/* `argv`: from the word `run` on. Returns the exit status: the command's, 128+N for signal N, 127
 * if it was not found, 126 if it cannot be executed, 124 for --timeout, 125 if the VMM or the
 * kernel failed, 2 for a mistake on the command line. */
int run_main(int argc, char **argv);

#endif
