/* The state of a vCPU after a reset, and where firmware leaves it when a machine wakes. */
#ifndef CPU_RESET_H
#define CPU_RESET_H

#include <stdint.h>

#include "base/regs.h"
#include "cpu/state.h"

/* At the reset vector, 16 bytes below 4 GB. What these two structures do not hold stays. */
void cpu_reset(struct kvm_regs *regs, struct kvm_sregs *sregs);

/* Firmware's start: the same, in the form that every mode has. */
void cpu_start_firmware(const struct memory *memory, const struct cpu_start *start,
                        struct kvm_regs *regs, struct kvm_sregs *sregs);

/* In real mode at a waking vector below 1 MB (ACPI 6.3, 5.2.10). */
void cpu_wake(uint32_t vector, struct kvm_regs *regs, struct kvm_sregs *sregs);

#endif
