/* The main loop of a hart: takes a task, runs it, puts it back, and waits while no task is
 * ready. */
#ifndef VM_RUN_H
#define VM_RUN_H

#include "vm/vcpu.h"

__attribute__((noreturn)) void run_hart(void);
/* A vCPU's turn (vm_hooks.run). */
void run_vcpu(struct vcpu *v);

#endif
