/* Resets a vCPU that has run. */
#ifndef HOST_KVM_RESET_H
#define HOST_KVM_RESET_H

#include "host/kvm/kvm.h"

/* Resets the vCPU's state in KVM, and sets these registers. `first`: it runs, else it waits for
 * another vCPU to start it. It must be out of the guest, and have a local APIC. */
int kvm_reset_vcpu(const struct kvm_cpu *cpu, const struct kvm_regs *regs,
                   const struct kvm_sregs *sregs, bool first, struct error *error) MUST_CHECK;

/* Lets KVM finish the instruction of the last exit, and ends a shutdown, before another state is
 * loaded. Otherwise KVM would finish the instruction with the new registers. It may write to guest
 * memory, so call this before memory is restored. */
int kvm_leave_exit(const struct kvm_cpu *cpu, struct error *error) MUST_CHECK;

#endif
