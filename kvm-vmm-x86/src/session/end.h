/* How a run ends: what is said of its guests, and the status of the program. */
#ifndef SESSION_END_H
#define SESSION_END_H

#include "vm/vm.h"
#include "watch/record/record.h"

/* What the process ends with, besides what guests decide. */
enum {
    STATUS_OK = 0,
    STATUS_USAGE = 2,
    STATUS_LIMIT = 124,
    STATUS_FAILED = 125,
    STATUS_CRASH = 126
};

/* What a run with this end alone ends with. */
int session_end_status(const struct vm_end *end);

/* The line for the user if standard output fails, in a static text. */
const char *session_end_output_failure(int failure);

/* Says why guests could not be made or started, and why the run ends, if there is a reason beside.
 */
int session_end_failed(const struct vm_end *why, const char *message);

/*
 * Says how each of the guests ended that did not end well, and what `record` and `explain` ask for
 * beside, and waits until it is read. `why`: what ended the run whatever its guests did (END_NONE:
 * nothing yet); it may come while this waits. Returns the exit status.
 */
int session_end_report(struct vm *vms, unsigned count, const struct vm_end *why,
                       const struct record_config *record, bool explain);

/* Whether the run that was reported ended because its user asked (Ctrl-A x, `ctl stop`). */
bool session_end_was_left(void);

#endif
