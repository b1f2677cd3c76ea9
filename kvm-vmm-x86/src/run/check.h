/* What can be known to be wrong before a machine boots, which takes seconds to minutes. */
#ifndef RUN_CHECK_H
#define RUN_CHECK_H

#include "run/request.h"

/* Whether the command can be started, as far as the host shows it: where the guest's root is the
 * host's. 0, or the status of the run, 126 or 127: `error` says why. */
int run_check_command(const struct run_request *request, struct error *error) MUST_CHECK;

/* Whether the options are right, and the files and folders that they name are there and may be
 * read. 0, or the status of the run. */
int run_check_options(const struct run_request *request, struct error *error) MUST_CHECK;

#endif
