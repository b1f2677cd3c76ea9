/* Guest page faults: RAM that is not there yet, device registers, and the guest's mistakes. */
#ifndef VM_FAULT_H
#define VM_FAULT_H

#include "vm/vcpu.h"

void fault_handle(struct vcpu *v);
/* The guest physical address of the fault that v->trap describes. */
gpa_t fault_address(const struct vcpu *v);
/* After a fetch of ours failed: do the guest's own tables map its pc nevertheless? */
bool fault_code_is_mapped(struct vcpu *v);

#endif
