/* Traps out of guests, by one table from cause to handler, and the machine's interrupts. */
#ifndef VM_TRAP_H
#define VM_TRAP_H

#include "vm/vcpu.h"

/* Serves the trap that guest_enter() returned with. */
void trap_handle(struct vcpu *v);
/* Serves an interrupt of the hart, by number. */
void trap_interrupt(uint64_t number);

#endif
