/*
 * The Supervisor Binary Interface as the hypervisor offers it to guests (RISC-V SBI 3.0). One
 * function an extension, all in the table of sbi.c; what is not there is NOT_SUPPORTED.
 */
#ifndef SBI_SBI_H
#define SBI_SBI_H

#include "vm/vcpu.h"

/* Serves the ecall that v trapped with. */
void sbi_call(struct vcpu *v);
/* Delivers an event of SSE to it, if there is one: on its hart, before it enters the guest. */
void sse_deliver(struct vcpu *v);
/* It stops: none of its events goes on. */
void sse_stop(struct vcpu *v);
const char *sbi_extension_name(uint64_t extension);

#endif
