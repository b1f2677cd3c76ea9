/* The life of a guest: made from its files, started, joined, taken down. For the main thread. */
#ifndef VM_CREATE_H
#define VM_CREATE_H

#include "vm/vm.h"

/* Makes guest number `index` of the run from its files: its VM, memory, devices, image and vCPUs.
 * `vm` is clear memory, or was a guest before and is destroyed. `config`, `program` and `observers`
 * must outlive it. On failure nothing is left behind, and the others below may be called all the
 * same. */
int vm_create(struct vm *vm, unsigned index, const struct guest_config *config,
              const struct vm_program *program, const struct observers *observers,
              struct error *error) MUST_CHECK;
void vm_destroy(struct vm *vm);

/* Starts a thread for each vCPU; `ended` is called from the last of them. */
int vm_start(struct vm *vm, void (*ended)(void), struct error *error) MUST_CHECK;
void vm_join(struct vm *vm);

#endif
