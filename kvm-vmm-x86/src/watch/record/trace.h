/* What an exit was, for those who look on: --verbose, the exit log. */
#ifndef TRACE_H
#define TRACE_H

#include "vm/vcpu.h"
#include "watch/record/record.h"

/* Fills in what KVM said of the exit that was just handled; time and cost are the caller's. */
void trace_record(const struct vcpu *vcpu, struct log_record *record);

/* --verbose: its number, the count of its kind, where, which device and register, which value. */
void trace_exit(const struct vcpu *vcpu);

#endif
