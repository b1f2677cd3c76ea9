/* Creates a guest from its files, starts it, joins its threads and destroys it. For the main
 * thread. */
#ifndef VM_CREATE_H
#define VM_CREATE_H

#include "vm/vm.h"

/* Makes guest number `index` of the run from its files: its VM, memory, devices, image and vCPUs.
 * `vm` is zeroed memory, or a guest that was destroyed. `config`, `program` and `observers` must
 * outlive it. On failure nothing is left allocated; the functions below may still be called. */
int vm_create(struct vm *vm, unsigned index, const struct guest_config *config,
              const struct vm_program *program, const struct observers *observers,
              struct error *error) MUST_CHECK;
void vm_destroy(struct vm *vm);

/* Starts a thread for each vCPU; `ended` is called from the last of them. */
int vm_start(struct vm *vm, void (*ended)(void), struct error *error) MUST_CHECK;
void vm_join(struct vm *vm);

#endif
