/* A vCPU that has run, as after a reset. */
#ifndef HOST_KVM_RESET_H
#define HOST_KVM_RESET_H

#include "host/kvm.h"

/* But for these registers; `first`: it runs, else it waits to be started by another. It is out of
 * the guest, and has a local APIC. */
int kvm_reset_vcpu(const struct kvm_cpu *cpu, const struct kvm_regs *regs,
                   const struct kvm_sregs *sregs, bool first, struct error *error) MUST_CHECK;

#endif
