/* Saves guests to a disk of the machine (vm/saved.h), in their workers while they are paused, as
 * for a clone. */
#ifndef VM_SAVE_H
#define VM_SAVE_H

#include "vm/vm.h"

/* Writes a guest to the machine's disk number `disk`, overwriting it, and resumes the guest. Called
 * by the monitor. False after an error message; later errors are printed too. */
bool save_begin(struct vm *vm, unsigned disk) MUST_CHECK;
/* The next piece of a save; with `give_up` it ends. By the guest's worker. */
enum vm_clone save_step(struct vm *vm, bool give_up) MUST_CHECK;

#endif
