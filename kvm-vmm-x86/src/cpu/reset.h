/* The state of a vCPU after a reset, and where firmware leaves it when a machine wakes. */
#ifndef CPU_RESET_H
#define CPU_RESET_H

#include <stdint.h>

#include "base/regs.h"
#include "cpu/state.h"

/* Sets the registers as after a reset: at the reset vector, 16 bytes below 4 GB. State outside
 * these two structures is not changed. */
void cpu_reset(struct kvm_regs *regs, struct kvm_sregs *sregs);

/* The start of firmware: the same registers, with the parameters that each mode's function has. */
void cpu_start_firmware(const struct memory *memory, const struct cpu_start *start,
                        struct kvm_regs *regs, struct kvm_sregs *sregs);

/* In real mode at a waking vector below 1 MB (ACPI 6.3, 5.2.10). */
void cpu_wake(uint32_t vector, struct kvm_regs *regs, struct kvm_sregs *sregs);

#endif
