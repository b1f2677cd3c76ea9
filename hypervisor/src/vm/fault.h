/* Guest page faults: RAM that is not mapped yet, devices, and addresses with neither; and the fetch
 * of a guest's instruction for its emulation. */
#ifndef VM_FAULT_H
#define VM_FAULT_H

#include "vm/vcpu.h"

/* Serves causes 20, 21 and 23. */
void fault_handle(struct vcpu *v);
/* The guest physical address of such a fault. */
gpa_t fault_address(const struct vcpu *v);
/* Fetches and decodes the instruction at pc into v->insn. False: it cannot be read now, and that
 * was dealt with: a fault was injected, or the guest has to be entered again. */
bool fault_fetch(struct vcpu *v) MUST_CHECK;

#endif
