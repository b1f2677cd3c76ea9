/* Each trap in words, for log=trap. */
#ifndef VM_NARRATE_H
#define VM_NARRATE_H

#include "vm/vcpu.h"

void narrate_trap(struct vcpu *v);

#endif
