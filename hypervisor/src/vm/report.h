/* What a guest did last: cause, registers, both stages of translation. */
#ifndef VM_REPORT_H
#define VM_REPORT_H

#include "vm/vcpu.h"

/* For a vCPU that is loaded on this hart. */
void report_print(struct vcpu *v, const char *reason);
/* The registers alone, of any vCPU; those of one that runs are as of its last trap. */
void report_registers(const struct vcpu *v);
/* A trap's cause in words. */
const char *report_cause(uint64_t cause);
/* The same of an interrupt of the machine's, by number. */
const char *report_interrupt(unsigned number);

#endif
