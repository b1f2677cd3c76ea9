/* The struct vm_program of kvm-vmm: console, input queue and ports. */
#ifndef SESSION_PROGRAM_H
#define SESSION_PROGRAM_H

#include "vm/program.h"

extern const struct vm_program session_program;

#endif
