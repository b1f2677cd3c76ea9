/*
 * Clones: VMs that start as a copy of a running one. Each page is shared until one of its owners
 * writes to it (mem/gstage.h); vCPUs and devices are copied. Each clone has its own console, MAC
 * address and generation ID. RAM for its copies of pages is not reserved.
 */
#ifndef VM_CLONE_H
#define VM_CLONE_H

#include "vm/vm.h"

/* Gives a copied or loaded VM its own generation ID and MAC address, and notifies it. It is not
 * listed in vms[] yet. */
void clone_differs(struct vm *vm);
/* The next piece of a clone of a VM whose vCPUs are off the harts, by its worker; the clone runs
 * once it is made. With `give_up` the unfinished clone is destroyed. Begins after make_begin(); not
 * made after one clear line. */
enum vm_clone clone_step(struct vm *vm, bool give_up) MUST_CHECK;

#endif
