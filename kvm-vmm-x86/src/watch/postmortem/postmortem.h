/*
 * The report about a guest that did not end well: one line, and for a crash (or with --explain) a
 * page. The state comes from KVM, or from a second run if KVM has lost it; explain/ interprets it.
 *
 * For the main thread, when all guests have ended.
 *
 */
#ifndef POSTMORTEM_H
#define POSTMORTEM_H

#include "vm/vm.h"

/* Prints the line for a guest that ended badly, and the page where there is one; with `explain`
 * also for guests that did not crash. The line is the guest's end from then on: vm_end_of. */
void postmortem_print(struct vm *vm, const struct vm_end *end, bool explain);

#endif
