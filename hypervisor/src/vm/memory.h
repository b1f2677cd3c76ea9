/*
 * The one way to a guest's memory: copies between the hypervisor and guest physical addresses, with
 * the whole range checked and backed on the way. False: the range is not all RAM; what came before
 * the hole may have been copied. Takes the VM's lock itself, except for the *_locked ones.
 */
#ifndef VM_MEMORY_H
#define VM_MEMORY_H

#include "vm/vm.h"

bool memory_read(struct vm *vm, gpa_t from, void *to, uint64_t size) MUST_CHECK;
bool memory_write(struct vm *vm, gpa_t to, const void *from, uint64_t size) MUST_CHECK;
bool memory_read_locked(struct vm *vm, gpa_t from, void *to, uint64_t size) MUST_CHECK;
bool memory_write_locked(struct vm *vm, gpa_t to, const void *from, uint64_t size) MUST_CHECK;

/* The same while none of the VM's vCPUs can run: what is about to be overwritten is not cleared
 * first. */
bool memory_load(struct vm *vm, gpa_t to, const void *from, uint64_t size) MUST_CHECK;

/* What the guest may do at `gpa` decides about a virtual address; see walk.h. */

#endif
