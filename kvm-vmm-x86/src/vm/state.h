/*
 * All that a guest is beside its memory: its vCPUs, its VM in KVM, its devices. Saved while the VM
 * is paused (pause.h), and put into a VM with as many vCPUs that have not run, over the same
 * memory.
 */
#ifndef VM_STATE_H
#define VM_STATE_H

#include "base/chunk.h"
#include "vm/vm.h"

/* Fails, and nothing has changed, where KVM does not tell something, there is too little room, or a
 * vCPU is in the middle of something that cannot be carried: string inputs of more than a page or
 * of two places, an access that KVM makes in several parts. */
int vm_save(struct vm *vm, struct chunk_writer *writer, struct error *error) MUST_CHECK;

/* Whether the vCPUs that are saved there can run on this host: -1 tells what its processor lacks.
 * The VM has its vCPUs, with what CPUID is to tell them. */
int vm_check_cpu(struct vm *vm, struct chunk_reader reader, struct error *error) MUST_CHECK;

/* On an error the VM cannot be used any more. */
int vm_load(struct vm *vm, struct chunk_reader *reader, struct error *error) MUST_CHECK;

/* The same VM goes back to what vm_save wrote of it, though its vCPUs have run since and it may
 * have ended. They have left their exits (host/kvm/reset.h); its memory is the caller's to put
 * back. `room` is scratch of vm_state_size bytes. No thread runs it meanwhile. */
int vm_rewind(struct vm *vm, struct chunk_reader saved, struct chunk_writer room,
              struct error *error) MUST_CHECK;

/* Room that is always enough for a VM of `vcpus` vCPUs. */
size_t vm_state_size(unsigned vcpus);

#endif
