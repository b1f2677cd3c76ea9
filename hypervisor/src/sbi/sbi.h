/*
 * The Supervisor Binary Interface as the hypervisor offers it to guests (RISC-V SBI 3.0). One
 * function for each extension, in the table of sbi.c; others return NOT_SUPPORTED.
 */
#ifndef SBI_SBI_H
#define SBI_SBI_H

#include "vm/vcpu.h"

/* Serves the ecall that v trapped with. */
void sbi_call(struct vcpu *v);
/* Delivers a pending SSE event to the vCPU: on its hart, before it enters the guest. */
void sse_deliver(struct vcpu *v);
/* The vCPU stops: ends its running SSE events. */
void sse_stop(struct vcpu *v);
const char *sbi_extension_name(uint64_t extension);

#endif
