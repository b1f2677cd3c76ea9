/* Loads saved guests (vm/save.h), in a separate task. */
#ifndef VM_LOAD_H
#define VM_LOAD_H

#include "lib/types.h"

/* Makes a guest from the save on the machine's disk number `disk`, with the name `name` unless that
 * is "", and resumes it. Called by the monitor. False after an error message; later errors are
 * printed too, and leave nothing behind. */
bool load_begin(unsigned disk, const char *name) MUST_CHECK;

#endif
