/* In place of vm/ticks.c, which needs KVM: no guest here has interrupts of the VMM's. */
#ifndef TEST_NO_TICKS_H
#define TEST_NO_TICKS_H

#include "vm/ticks.h"

void ticks_loaded(struct vcpu *vcpu)
{
    (void)vcpu;
}

void ticks_input(struct vm *vm)
{
    (void)vm;
}

#endif
