/* Files that a run writes must not be files that it reads: it would empty its own image. */
#ifndef SESSION_FILES_H
#define SESSION_FILES_H

#include "options/options.h"

/* Before any file is opened for writing. */
int session_files_check(const struct options *options, struct error *error) MUST_CHECK;

#endif
