/* How a run ends: the messages about its guests, and the exit status. */
#ifndef SESSION_END_H
#define SESSION_END_H

#include "vm/vm.h"
#include "watch/record/record.h"

/* Exit statuses other than those that guests choose. */
enum {
    STATUS_OK = 0,
    STATUS_USAGE = 2,
    STATUS_LIMIT = 124,
    STATUS_FAILED = 125,
    STATUS_CRASH = 126
};

/* The exit status of a run with only this end. */
int session_end_status(const struct vm_end *end);

/* The line for the user if standard output fails, in a static text. */
const char *session_end_output_failure(int failure);

/* Says why guests could not be made or started, and why the run ends, if there is a reason beside.
 */
int session_end_failed(const struct vm_end *why, const char *message);

/*
 * Prints how each guest ended that did not end well, and the reports that `record` and `explain`
 * ask for, and waits until they are read. `why`: what ended the run as a whole (END_NONE: nothing
 * yet); it may change while this waits. Returns the exit status.
 */
int session_end_report(struct vm *vms, unsigned count, const struct vm_end *why,
                       const struct record_config *record, bool explain);

/* Whether the run that was reported ended because its user asked (Ctrl-A x, `ctl stop`). */
bool session_end_was_left(void);

#endif
