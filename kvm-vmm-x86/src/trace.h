/* What --verbose prints: a line for each exit. */
#ifndef TRACE_H
#define TRACE_H

#include "vcpu.h"

/* The exit that was just handled: its number, the count of its kind, where, which device, which
 * value. */
void trace_exit(const struct vcpu *vcpu);

#endif
