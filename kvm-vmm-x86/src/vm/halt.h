/*
 * Finds guests that have halted for ever. With in-kernel interrupt controllers KVM does not report
 * HLT; so ten times a second at most the main thread looks whether a vCPU has done anything, and
 * asks those that have not, once, how they are.
 */
#ifndef HALT_H
#define HALT_H

#include "vm/vm.h"

enum { HALT_WATCH_MS = 100 };

/* Whether this guest needs watching at all. One that is held does, too. */
bool halt_is_watched(struct vm *vm);

/* One look. Ends the VM with END_HALT if every started vCPU sleeps in HLT with interrupts off and
 * nothing pending. Does nothing while the VM is held. */
void halt_watch(struct vm *vm);

#endif
