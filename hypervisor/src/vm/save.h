/* Guests saved on a disk of the machine's (vm/saved.h), by their workers while they stand still, as
 * a clone is made. */
#ifndef VM_SAVE_H
#define VM_SAVE_H

#include "vm/vm.h"

/* Writes a guest to the machine's disk number `disk`, over what is there, and lets it go on. By the
 * monitor. False after one clear line; what goes wrong later is a line, too. */
bool save_begin(struct vm *vm, unsigned disk) MUST_CHECK;
/* The next piece of a save; with `give_up` it ends. By the guest's worker. */
enum vm_clone save_step(struct vm *vm, bool give_up) MUST_CHECK;

#endif
