/* Making VMs and undoing them: all that comes before and after a life (vm/life.h), and what a VM
 * takes besides RAM. */
#ifndef VM_MAKE_H
#define VM_MAKE_H

#include "vm/vm.h"

/* One VM at a time is made: false while another is. It ends with make_publish() or make_undo(), or
 * where make_vm() fails. */
bool make_begin(void) MUST_CHECK;
/* A VM as `config` says, without RAM, not listed in vms[] yet. `worker` is how its worker works.
 * NULL after one clear line. */
struct vm *make_vm(const struct vm_config *config, const struct task_ops *worker) MUST_CHECK;
/* Sets its tables aside, with all of its RAM or without; false after one clear line. It is given
 * back by page_unreserve(). */
bool make_set_aside(struct vm *vm, bool with_ram) MUST_CHECK;
/* Its empty G stage. */
int make_stage(struct vm *vm) MUST_CHECK;
/* Undoes make_vm() in steps: true when all is done. */
bool make_undo(struct vm *vm) MUST_CHECK;
/* Lists it in vms[]. */
void make_publish(struct vm *vm, enum vm_state state);
/* What an ended VM is made of goes; another may take its place. By its worker. */
void make_destroy(struct vm *vm);

/* Bytes that a VM takes besides its RAM: itself, its vCPUs, its devices, its G-stage tables. */
uint64_t make_overhead(const struct vm *vm);

#endif
