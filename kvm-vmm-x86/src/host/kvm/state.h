/*
 * The whole state of a vCPU and of a VM in KVM, out and in, as chunks (base/chunk.h): what a guest
 * needs to continue in another VM with the same memory, on a host like this one. Sections of
 * Documentation/virt/kvm/api.rst are given with each part in the .c.
 *
 * A vCPU must be out of the guest with its last exit finished (vm/pause.h). Debug registers that a
 * debugger has set from outside are not the guest's, and not part of it.
 *
 */
#ifndef HOST_KVM_STATE_H
#define HOST_KVM_STATE_H

#include "base/chunk.h"
#include "host/kvm/kvm.h"

/* Writes the chunks "vcpu ID PART", in the order in which they are to be put back. */
int kvm_save_vcpu(const struct kvm *kvm, const struct kvm_cpu *cpu, unsigned id,
                  struct chunk_writer *writer, struct error *error) MUST_CHECK;

/* The chunks "vm PART": interrupt controllers and timer, which must be there (`irqchip`), and the
 * clock, as it was at `moment` (clock_steady), when the vCPUs' host_tsc was read: a guest compares
 * the two. */
int kvm_save_vm(int vm, bool irqchip, uint64_t moment, struct chunk_writer *writer,
                struct error *error) MUST_CHECK;

/* Loads one chunk; `part` is the chunk's name after "vcpu ID " or "vm ". After an error the vCPU or
 * VM cannot be used. */
int kvm_load_vcpu(const struct kvm_cpu *cpu, const char *part, const struct chunk *chunk,
                  struct error *error) MUST_CHECK;
int kvm_load_vm(int vm, uint64_t moment, const char *part, const struct chunk *chunk,
                struct error *error) MUST_CHECK;

/* Reads the CPUID table of the vCPU, to compare with the chunk "vcpu ID cpuid". Returns the number
 * of entries, or -1. */
enum { KVM_CPUID_MAX = 256 };
int kvm_get_cpuid(const struct kvm_cpu *cpu, struct kvm_cpuid_entry2 entries[KVM_CPUID_MAX],
                  struct error *error) MUST_CHECK;

/* Tells a guest that uses kvm-clock that the vCPU was stopped by its host (4.70), so that it does
 * not report a lock-up for the missing time. Before it continues. */
void kvm_mark_paused(const struct kvm_cpu *cpu);

/* More than all chunks of one vCPU, or of a VM, take. */
enum { KVM_STATE_MAX = 64 * 1024 };

#endif
