/*
 * The only access to a guest's memory: copies between the hypervisor and guest physical addresses,
 * with the whole range checked. RAM that is not mapped yet reads as zeros and is allocated before a
 * write. False: the range is not all RAM; what came before the hole may have been copied. No lock
 * is needed: mappings are added while the VM's tasks run, and shared pages replaced by copies; a
 * read checks its mapping again afterwards.
 */
#ifndef VM_MEMORY_H
#define VM_MEMORY_H

#include "vm/vm.h"

/* Maps zeroed RAM at `gpa`, or replaces a page shared with a clone by a private copy. Interrupts
 * are served between its steps: no lock may be held, and the caller is one of the VM's tasks. The
 * `written` bytes from there may not be zeroed; the caller overwrites them before a guest can read
 * them. Negative: out of memory. */
int memory_back(struct vm *vm, gpa_t gpa, uint64_t written) MUST_CHECK;

bool memory_read(struct vm *vm, gpa_t from, void *to, uint64_t size) MUST_CHECK;
/* Maps the RAM first: see memory_back(). */
bool memory_write(struct vm *vm, gpa_t to, const void *from, uint64_t size) MUST_CHECK;
/* The same before any vCPU runs; the caller will write `rest` bytes from there. */
bool memory_load(struct vm *vm, gpa_t to, const void *from, uint64_t size,
                 uint64_t rest) MUST_CHECK;
/* For devices, under the VM's lock: finds the piece at `gpa`, of at most `size` bytes.
 * VIRTIO_LATER: the page must be mapped for writing first; its address is in vm->unbacked. */
int memory_piece(struct vm *vm, gpa_t gpa, uint64_t size, bool write,
                 struct virtio_piece *piece) MUST_CHECK;
/* Writes to RAM that is mapped, under the VM's lock, while its vCPUs do not run. */
bool memory_poke(struct vm *vm, gpa_t to, const void *from, uint64_t size) MUST_CHECK;

#endif
