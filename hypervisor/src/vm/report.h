/* The report about a guest's end: cause, registers, both stages of translation. */
#ifndef VM_REPORT_H
#define VM_REPORT_H

#include "vm/vcpu.h"

/* For a vCPU that is loaded on this hart. */
void report_print(struct vcpu *v, const char *reason);
/* Prints only the registers, of any vCPU; those of a running one are as of its last trap. */
void report_registers(const struct vcpu *v);
/* An address of the guest's, with its function where the manifest names a list of them. */
enum { REPORT_PLACE_SIZE = 128 };
void report_place(const struct vm *vm, uint64_t pc, char text[REPORT_PLACE_SIZE]);
/* Prints the instructions at which it exited most often. */
void report_places(const struct vm *vm);
/* A trap's cause in words. */
const char *report_cause(uint64_t cause);
/* The same of an interrupt of the machine's, by number. */
const char *report_interrupt(unsigned number);

#endif
