/*
 * The sandbox. Once a run is set up, its threads can make only the system calls that sandbox_calls
 * lists (seccomp), open only what was allowed to landlock.h, and get no privileges by executing
 * something. A call that is not allowed ends the program with a line that names it.
 */
#ifndef HOST_SANDBOX_SANDBOX_H
#define HOST_SANDBOX_SANDBOX_H

#include "base/error.h"
#include "host/sandbox/calls.h"

enum sandbox_mode {
    SANDBOX_ON,
    SANDBOX_LEARN, /* says what it would forbid, and lets it happen */
    SANDBOX_OFF
};

/* Before the first file is opened. */
void sandbox_begin(enum sandbox_mode mode);

/* Puts the sandbox in force. No other thread may run yet. `needs`: a set of enum sandbox_need. 1:
 * in force as --sandbox says; 0: without a limit for files, as this kernel has no Landlock; -1: an
 * error. */
int sandbox_enter(unsigned needs, struct error *error) MUST_CHECK;

#endif
