/*
 * gdb on the console (GDB manual, appendix E): Ctrl-a g connects the console to a debugger of the
 * guest in front. Each vCPU is a thread; all stop together. Memory addresses are guest virtual,
 * translated by both stages; breakpoints are ebreaks in it, which the guest's own handler does not
 * see, or triggers of the harts, as watchpoints are. A single step runs one vCPU alone up to where
 * its instruction goes, and an interrupt's handler first where one is due. The other threads wait
 * meanwhile.
 */
#ifndef MON_GDB_H
#define MON_GDB_H

#include "vm/vm.h"

/* Stops the VM and waits for a debugger on the line, or says why it cannot be stopped. With no lock
 * held. */
void gdb_open(struct vm *vm);
/* Whether a debugger uses the console. */
bool gdb_is_open(void);
/* A byte from the line; false when the session has ended. With no lock held. */
bool gdb_input_byte(uint8_t byte);

/* The VM's hooks: see vm_hooks. */
bool gdb_breakpoint(struct vcpu *v);
void gdb_paused(struct vm *vm);
/* The VM has ended and its memory is freed: tells the debugger of that VM. */
void gdb_ended(struct vm *vm);

#endif
