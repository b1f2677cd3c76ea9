/* Whether the files that a command line names are there, without opening any. */
#ifndef SESSION_LOOK_H
#define SESSION_LOOK_H

#include "options/options.h"

/* For a run that cannot be, or not yet: what it would open and cannot is the first thing to know.
 */
int session_look(const struct options *options, struct error *error) MUST_CHECK;

#endif
