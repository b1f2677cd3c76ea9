/* Traps out of guests: one table from cause to handler. */
#ifndef VM_TRAP_H
#define VM_TRAP_H

#include "vm/vcpu.h"

/* Serves the trap that vcpu_enter() returned with. */
void trap_handle(struct vcpu *v);
/* Serves what is pending for this hart itself; for harts that wait without a guest. */
void trap_host_interrupts(void);
/* Fetches and decodes the instruction at v->pc into v->insn. False: it cannot be read now; what
 * should happen has happened (a fault was injected, or the guest is to be entered again). */
bool trap_fetch(struct vcpu *v) __attribute__((warn_unused_result));
/* A trap's cause in words. */
const char *trap_cause_text(uint64_t cause);

#endif
