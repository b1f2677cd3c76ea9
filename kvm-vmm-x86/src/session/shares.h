/* The folders that a run shares with its guests. */
#ifndef SESSION_SHARES_H
#define SESSION_SHARES_H

#include "options/options.h"

/* Opens those of all guests; a guest that starts again keeps them. The end of the program closes
 * them. `guests` are the options' guests; they get what was opened. Each folder holds up to
 * `descriptors`. */
int session_shares_open(unsigned count, struct guest_config guests[GUESTS_MAX],
                        unsigned descriptors, struct error *error) MUST_CHECK;

#endif
