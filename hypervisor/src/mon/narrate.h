/* Each trap in words, for log=trap. */
#ifndef MON_NARRATE_H
#define MON_NARRATE_H

#include "vm/vcpu.h"

void narrate_trap(struct vcpu *v);

#endif
