// What the probe looks at, one function each. A check returns 0 if the host's KVM does it, and else
// a negative code with guest->reason saying how it failed. A KVM that lacks it may also never
// return: the caller sets the time limit.
#ifndef LAB_PROBE_CHECKS_H
#define LAB_PROBE_CHECKS_H

#include "lab/probe/guest.h"

// modes.c
int check_real(struct guest *guest);
int check_real_int(struct guest *guest);
int check_protected(struct guest *guest);
int check_paged(struct guest *guest);
int check_pae(struct guest *guest);
int check_long(struct guest *guest);
// debug.c
int check_int3(struct guest *guest);
int check_breakpoint(struct guest *guest);
int check_watchpoint(struct guest *guest);
int check_step(struct guest *guest);
// platform.c
int check_mmio(struct guest *guest);
int check_msrs(struct guest *guest);
int check_msr_capabilities(struct guest *guest);
int check_irqchip(struct guest *guest);
int check_smp(struct guest *guest);
// speed.c: these leave a figure in guest->reason
int check_exits(struct guest *guest);
int check_instructions(struct guest *guest);

#endif
