/* What the probe looks at, one function each. A check returns 0 if the host's KVM does it, and else
 * a negative code with guest->reason saying how it failed. A KVM that lacks it may also never
 * return: the caller sets the time limit. */
#ifndef LAB_PROBE_CHECKS_H
#define LAB_PROBE_CHECKS_H

#include "lab/probe/guest.h"

/* modes.c */
int modes_real(struct guest *guest);
int modes_real_int(struct guest *guest);
int modes_protected(struct guest *guest);
int modes_paged(struct guest *guest);
int modes_pae(struct guest *guest);
int modes_pae_cr4(struct guest *guest);
int modes_long(struct guest *guest);
/* debug.c */
int debug_int3(struct guest *guest);
int debug_breakpoint(struct guest *guest);
int debug_watchpoint(struct guest *guest);
int debug_step(struct guest *guest);
/* platform.c */
int platform_mmio(struct guest *guest);
int platform_msrs(struct guest *guest);
int platform_msr_capabilities(struct guest *guest);
int platform_irqchip(struct guest *guest);
int platform_smp(struct guest *guest);
/* speed.c: these leave a figure in guest->reason */
int speed_exits(struct guest *guest);
int speed_instructions(struct guest *guest);
/* Of the host's time-stamp counter: kHz. */
unsigned speed_counter(void);

#endif
