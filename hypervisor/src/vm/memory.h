/*
 * The one way to a guest's memory: copies between the hypervisor and guest physical addresses, with
 * the whole range checked. RAM that was never touched reads as zeros and is backed before it is
 * written. False: the range is not all RAM; what came before the hole may have been copied. No lock
 * is needed: mappings are added while the VM's tasks run, and shared pages replaced by copies; a
 * read looks again afterwards.
 */
#ifndef VM_MEMORY_H
#define VM_MEMORY_H

#include "vm/vm.h"

/* Backs the RAM at `gpa` with zeros, or makes it the VM's own where it shares it with a clone, in
 * steps between which interrupts are served: no lock may be held, and the caller is one of the VM's
 * tasks. Of the `written` bytes from there, which the caller overwrites before a guest can look,
 * some may hold what another guest left. Negative: no memory. */
int memory_back(struct vm *vm, gpa_t gpa, uint64_t written) MUST_CHECK;

bool memory_read(struct vm *vm, gpa_t from, void *to, uint64_t size) MUST_CHECK;
/* Backs what it writes: see memory_back(). */
bool memory_write(struct vm *vm, gpa_t to, const void *from, uint64_t size) MUST_CHECK;
/* The same for memory that no vCPU sees yet, of which the caller will write `rest` bytes from
 * there. */
bool memory_load(struct vm *vm, gpa_t to, const void *from, uint64_t size,
                 uint64_t rest) MUST_CHECK;
/* For devices, under the VM's lock: where `gpa` is, and how many of `size` bytes are there in one
 * piece. VIRTIO_LATER: what is to be written must be backed first; the place is in vm->unbacked. */
int memory_piece(struct vm *vm, gpa_t gpa, uint64_t size, bool write,
                 struct virtio_piece *piece) MUST_CHECK;
/* Writes what is backed, under the VM's lock, while its vCPUs are off the harts. */
bool memory_poke(struct vm *vm, gpa_t to, const void *from, uint64_t size) MUST_CHECK;

#endif
