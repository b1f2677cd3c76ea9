/*
 * Clones: VMs that begin in the middle of another's life. Memory is shared, page by page, until one
 * of the owners writes to it (mem/gstage.h); vCPUs and devices are copied. Each has a console, a
 * MAC address and a generation of its own. What RAM it will need is not set aside.
 */
#ifndef VM_CLONE_H
#define VM_CLONE_H

#include "vm/vm.h"

/* Makes a clone of a VM whose vCPUs are off the harts, by its worker; it runs from there on. False,
 * after one clear line, where it cannot be made. */
bool clone_make(struct vm *vm) MUST_CHECK;

#endif
