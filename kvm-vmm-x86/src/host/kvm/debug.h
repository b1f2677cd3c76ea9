/* The KVM calls that only debugging needs: guest debugging, and registers of a vCPU that is out of
 * the guest. Reference: Documentation/virt/kvm/api.rst, section given with each function. */
#ifndef HOST_KVM_DEBUG_H
#define HOST_KVM_DEBUG_H

#include "host/kvm/kvm.h"

/* 4.87: `control` is of KVM_GUESTDBG_*; debug register i is at `address[i]`. 0 or a negative errno.
 */
int kvm_set_guest_debug(const struct kvm_cpu *cpu, uint32_t control, const uint64_t address[4],
                        uint64_t dr7) MUST_CHECK;

/* The KVM_GUESTDBG_* flags this KVM knows (KVM_CAP_SET_GUEST_DEBUG2). */
uint32_t kvm_guest_debug_flags(int vm);

/* 4.11 to 4.14, 4.42, 4.43. The copy of the general registers that KVM_RUN shares
 * follows. 0 or a negative errno. */
int kvm_read_registers(const struct kvm_cpu *cpu, struct kvm_regs *regs, struct kvm_sregs *sregs,
                       struct kvm_fpu *fpu) MUST_CHECK;
int kvm_write_general(const struct kvm_cpu *cpu, const struct kvm_regs *regs) MUST_CHECK;
int kvm_write_special(const struct kvm_cpu *cpu, const struct kvm_sregs *sregs) MUST_CHECK;
int kvm_write_fpu(const struct kvm_cpu *cpu, const struct kvm_fpu *fpu) MUST_CHECK;

/* A model-specific register (4.18, 4.19). Read: 0 if KVM does not have it. Written: 0 or a negative
 * errno. */
uint64_t kvm_read_msr(const struct kvm_cpu *cpu, uint32_t index);
int kvm_write_msr(const struct kvm_cpu *cpu, uint32_t index, uint64_t value) MUST_CHECK;

/*
 * Lets KVM finish the instruction that the last exit interrupted (the end of section 5's remarks on
 * IO and MMIO), without going on in the guest. -EINTR: done, the state is complete. 0: it finished
 * with a new exit.
 */
int kvm_finish_exit(const struct kvm_cpu *cpu) MUST_CHECK;

#endif
