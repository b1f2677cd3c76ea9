/* A vCPU that has run, as after a reset. */
#ifndef HOST_KVM_RESET_H
#define HOST_KVM_RESET_H

#include "host/kvm/kvm.h"

/* But for these registers; `first`: it runs, else it waits to be started by another. It is out of
 * the guest, and has a local APIC. */
int kvm_reset_vcpu(const struct kvm_cpu *cpu, const struct kvm_regs *regs,
                   const struct kvm_sregs *sregs, bool first, struct error *error) MUST_CHECK;

/* Has KVM finish the instruction that the last exit was in, and leaves a shutdown: the vCPU gets
 * another state next. KVM would make the rest of that instruction with its registers; and it may
 * write to the guest's memory, so that this comes before memory is put back. */
int kvm_leave_exit(const struct kvm_cpu *cpu, struct error *error) MUST_CHECK;

#endif
