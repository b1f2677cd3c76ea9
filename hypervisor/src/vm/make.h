/* Making VMs: all that comes before a life (vm/life.h) begins, and what it takes besides RAM. */
#ifndef VM_MAKE_H
#define VM_MAKE_H

#include "vm/vm.h"

/* One VM at a time is made: false while another is. It ends with make_publish() or make_undo(), or
 * where make_vm() fails. */
bool make_begin(void) MUST_CHECK;
/* A VM as `config` says, with all its RAM set aside or without, not one of the VMs yet. `worker` is
 * how its worker works. NULL after one clear line. */
struct vm *make_vm(const struct vm_config *config, bool with_ram,
                   const struct task_ops *worker) MUST_CHECK;
/* Its empty G stage. */
int make_stage(struct vm *vm) MUST_CHECK;
void make_undo(struct vm *vm);
/* From now on it is one of all. */
void make_publish(struct vm *vm, enum vm_state state);

/* Bytes that a VM takes besides its RAM: itself, its vCPUs, its devices, its G-stage tables. */
uint64_t make_overhead(const struct vm *vm);

#endif
