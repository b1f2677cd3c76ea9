/*
 * The state of a guest except its memory: vCPUs, VM in KVM, devices. It is saved while the VM is
 * paused (pause.h), and loaded into a VM with the same memory and number of vCPUs, which have not
 * run.
 */
#ifndef VM_STATE_H
#define VM_STATE_H

#include "base/chunk.h"
#include "vm/vm.h"

/* Fails, and changes nothing, if KVM fails, the buffer is too small, or a vCPU is in the middle of
 * an access that cannot be saved: a string input of more than a page, two string inputs, or an
 * access that KVM makes in several parts. */
int vm_save(struct vm *vm, struct chunk_writer *writer, struct error *error) MUST_CHECK;

/* Whether the saved vCPUs can run on this host; -1: `error` says what its processor lacks. The VM
 * has its vCPUs with their CPUID tables. */
int vm_check_cpu(struct vm *vm, struct chunk_reader reader, struct error *error) MUST_CHECK;

/* After an error the VM cannot be used. The UART does not look for input by itself: a caller whose
 * guest is to run from here, and not to be replayed, calls ticks_input() after it. Input that
 * arrived meanwhile is not announced again. */
int vm_load(struct vm *vm, struct chunk_reader *reader, struct error *error) MUST_CHECK;

/* Loads what vm_save wrote into the same VM, whose vCPUs have run since, and which may have ended.
 * Call kvm_leave_exit for each vCPU before; the caller restores the memory. `room` is scratch of
 * vm_state_size bytes. No thread runs it meanwhile. */
int vm_rewind(struct vm *vm, struct chunk_reader saved, struct chunk_writer room,
              struct error *error) MUST_CHECK;

/* Room that is always enough for a VM of `vcpus` vCPUs. */
size_t vm_state_size(unsigned vcpus);

#endif
