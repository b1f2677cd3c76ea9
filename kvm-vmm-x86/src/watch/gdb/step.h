/* gdb as an observer of a VM. Its context is a struct debug (debug.h). */
#ifndef GDB_STEP_H
#define GDB_STEP_H

#include "vm/observer.h"

extern const struct observer gdb_observer;

#endif
