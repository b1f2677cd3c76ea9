/* What a run's sandbox allows, by the run's options. */
#ifndef SESSION_SANDBOX_H
#define SESSION_SANDBOX_H

#include "options/options.h"

/* When all that the run needs is open, and before a guest runs. `guests`: the run's, as opened. */
int session_sandbox_enter(const struct options *options,
                          const struct guest_config guests[GUESTS_MAX],
                          struct error *error) MUST_CHECK;

#endif
