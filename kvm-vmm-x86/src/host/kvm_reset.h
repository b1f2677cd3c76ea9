/* A vCPU that has run, as after a reset. */
#ifndef HOST_KVM_RESET_H
#define HOST_KVM_RESET_H

#include "host/kvm.h"

/* But for these registers; `first`: it runs, else it waits to be started by another. It is out of
 * the guest, and has a local APIC. */
int kvm_reset_vcpu(const struct kvm_cpu *cpu, const struct kvm_regs *regs,
                   const struct kvm_sregs *sregs, bool first, struct error *error) MUST_CHECK;

/* A vCPU that has shut down is to run on, from a state that it gets next. KVM on AMD clears the
 * control block of one that shuts down, and with it the root of the nested page tables. Without a
 * change of CR3 it does not set that again (6.1) where paging is off, and the guest never executes
 * an instruction. */
int kvm_leave_shutdown(const struct kvm_cpu *cpu, struct error *error) MUST_CHECK;

#endif
