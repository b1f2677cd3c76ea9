/* Guests that were saved (vm/save.h), loaded by a task of its own. */
#ifndef VM_LOAD_H
#define VM_LOAD_H

#include "lib/types.h"

/* Makes a guest of what is saved on the machine's disk number `disk`, called `name` unless that is
 * "", which goes on where it was. By the monitor. False after one clear line; what goes wrong later
 * is a line, too, and leaves nothing. */
bool load_begin(unsigned disk, const char *name) MUST_CHECK;

#endif
