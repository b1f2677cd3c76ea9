/* The state of the interrupt controllers that KVM emulates, for reports about a guest that has
 * ended. Reference: Documentation/virt/kvm/api.rst, section given with each function. */
#ifndef HOST_KVM_INTERRUPTS_H
#define HOST_KVM_INTERRUPTS_H

#include "host/kvm/kvm.h"

/* Interrupts a vCPU of a VM without interrupt controllers, which can be interrupted now. */
void kvm_interrupt(const struct kvm_cpu *cpu, uint8_t vector);
/* The vector of the interrupt that will be delivered at the next entry, or -1. */
int kvm_injected(const struct kvm_cpu *cpu);

/* A PIC: 0 the master, 1 the slave (4.26). */
bool kvm_read_pic(int vm, unsigned chip, struct kvm_pic_state *pic);

/* 256 bits of the local APIC (4.57), from register `offset` on: ISR 0x100, IRR 0x200. */
bool kvm_read_lapic_bits(const struct kvm_cpu *cpu, unsigned offset, uint32_t words[8]);

#endif
