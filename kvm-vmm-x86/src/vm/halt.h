/*
 * Finds guests that have halted for ever. With in-kernel interrupt controllers KVM does not report
 * HLT; so at most ten times a second the main thread checks whether a vCPU has done anything, and
 * has those that have not examined, once.
 */
#ifndef HALT_H
#define HALT_H

#include "vm/vm.h"

enum { HALT_WATCH_MS = 100 };

/* Whether this guest has to be watched; also true while it is held. */
bool halt_is_watched(struct vm *vm);

/* One look. Ends the VM with END_HALT if every started vCPU sleeps in HLT with interrupts off and
 * nothing pending. Does nothing while the VM is held. */
void halt_watch(struct vm *vm);

#endif
