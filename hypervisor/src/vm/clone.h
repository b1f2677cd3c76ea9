/*
 * Clones: VMs that begin in the middle of another's life. Memory is shared, page by page, until one
 * of the owners writes to it (mem/gstage.h); vCPUs and devices are copied. Each has a console, a
 * MAC address and a generation of its own. What RAM it will need is not set aside.
 */
#ifndef VM_CLONE_H
#define VM_CLONE_H

#include "vm/vm.h"

/* A copy of a guest's past learns that it is not the one that went on. It is not one of the VMs
 * yet. */
void clone_differs(struct vm *vm);
/* The next piece of a clone of a VM whose vCPUs are off the harts, by its worker; the clone runs
 * once it is made. With `give_up` what is there of it goes. Begins after make_begin(); not made
 * after one clear line. */
enum vm_clone clone_step(struct vm *vm, bool give_up) MUST_CHECK;

#endif
