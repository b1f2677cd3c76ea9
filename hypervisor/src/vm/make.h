/* Creates and destroys VMs, before and after their life (vm/life.h), and counts their memory
 * besides RAM. */
#ifndef VM_MAKE_H
#define VM_MAKE_H

#include "vm/vm.h"

/* Only one VM is made at a time: false while another one is. Ends with make_publish(), make_undo(),
 * or a failed make_vm(). */
bool make_begin(void) MUST_CHECK;
/* A VM as `config` says, without RAM, not listed in vms[] yet. `worker` is how its worker works.
 * NULL after one clear line. */
struct vm *make_vm(const struct vm_config *config, const struct task_ops *worker) MUST_CHECK;
/* Reserves memory for its tables, with or without all of its RAM; false after an error message.
 * page_unreserve() releases it. */
bool make_set_aside(struct vm *vm, bool with_ram) MUST_CHECK;
/* Makes its empty G stage. A GSTAGE_ code. */
int make_stage(struct vm *vm) MUST_CHECK;
/* Undoes make_vm() in steps: true when all is done. */
bool make_undo(struct vm *vm) MUST_CHECK;
/* Lists it in vms[]. */
void make_publish(struct vm *vm, enum vm_state state);
/* Frees an ended VM; another may take its place. Called by its worker. */
void make_destroy(struct vm *vm);

/* Bytes that a VM takes besides its RAM: itself, its vCPUs, its devices, its G-stage tables. */
uint64_t make_overhead(const struct vm *vm);

#endif
