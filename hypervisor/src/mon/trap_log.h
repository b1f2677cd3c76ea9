/* A line on the console about each trap, for log=trap. */
#ifndef MON_TRAP_LOG_H
#define MON_TRAP_LOG_H

#include "vm/vcpu.h"

void trap_log(struct vcpu *v);

#endif
