/* Why a vCPU came back from the guest, and what is done about it: one table, one verdict. */
#ifndef EXITS_H
#define EXITS_H

#include "vm/vcpu.h"

/* Handles the exit described in vcpu->cpu.run. VERDICT_STOP: the guest has ended, and why was said
 * to vm_stop. */
enum verdict exits_handle(struct vcpu *vcpu) MUST_CHECK;

/* The name of KVM_EXIT_`reason`, for people. */
const char *exits_name(uint32_t reason);

#endif
